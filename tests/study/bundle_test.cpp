#include "study/bundle.h"
#include "study/crc32.h"
#include "study/error.h"
#include "study/order.h"
#include "study/zip_file.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

using namespace quantspot::study;
using quantspot::statistics::Random;

namespace {

struct Finished {
  FrozenStudy study = sample::frozen(sample::protocol(10));
  Ledger ledger{":memory:"};
  std::vector<Seat> seats;
  Finished(int people, double skill) {
    ledger.addStudy(study);
    seats = sample::run(ledger, study, people, skill);
  }
  QByteArray bundle(bool revealed = true) {
    return makeBundle(study, ledger.chain(study.hash()), revealed ? std::optional(study.open(sample::kPassphrase)) : std::nullopt);
  }
};

// A bundle with one file changed and the manifest made to fit, as somebody who knows the format would do it.
QByteArray forge(const QByteArray& zip, const QString& name, const QByteArray& content) {
  ZipEntries entries = readZip(zip);
  for (auto& entry : entries)
    if (entry.first == name) entry.second = content;
  QJsonObject manifest = QJsonDocument::fromJson(entries[0].second).object(), files = manifest["files"].toObject();
  files[name] = QString::fromLatin1(sha256Hex(content));
  manifest["files"] = files;
  entries[0].second = QJsonDocument(manifest).toJson(QJsonDocument::Indented);
  return writeZip(entries);
}

QByteArray file(const QByteArray& zip, const QString& name) {
  for (const auto& entry : readZip(zip))
    if (entry.first == name) return entry.second;
  return {};
}

// Changes 33 bits of the content such that its CRC-32 stays: the polynomial itself, from bit `at` on.
QByteArray sameCrc(QByteArray content, qsizetype at) {
  constexpr quint64 kPolynomial = 0x104C11DB7;   // highest power first, as bits are read
  for (int i = 0; i <= 32; ++i)
    if (kPolynomial >> (32 - i) & 1) content[(at + i) / 8] = static_cast<char>(content[(at + i) / 8] ^ (1 << (at + i) % 8));
  return content;
}

// The archive written anew, with CRCs that fit; the manifest stays, or fits as well.
QByteArray mutateFiles(const QByteArray& zip, Random& random, QString& what) {
  ZipEntries entries = readZip(zip);
  const qsizetype which = static_cast<qsizetype>(random.below(static_cast<std::uint64_t>(entries.size())));
  auto& [name, content] = entries[which];
  what = name;
  switch (random.below(6)) {
    case 0: what += " renamed", name += QLatin1Char('x'); break;
    case 1: what += " left out", entries.removeAt(which); break;
    case 2: what += " followed by another", entries.insert(which, {QStringLiteral("images/more.png"), QByteArray("more")}); break;
    case 3: what += " there twice", entries << std::pair(name, content); break;
    case 4: what += " longer", content += '\n'; break;
    default: {
      const auto bits = static_cast<std::uint64_t>(content.size()) * 8;
      const QByteArray changed = bits > 40 ? sameCrc(content, static_cast<qsizetype>(random.below(bits - 33))) : content + 'x';
      if (bits > 40 && crc32(changed) != crc32(content)) qFatal("the CRC did not stay");
      what += " changed with the same CRC", content = changed;
    }
  }
  return writeZip(entries);
}

// One of: a byte of the file, its end, a bit of its list of files, a file, a byte of the chain, a record dropped, repeated, or two swapped.
QByteArray mutate(const QByteArray& zip, const QByteArray& chain, Random& random, QString& what) {
  const auto at = [&](qsizetype size) { return static_cast<qsizetype>(random.below(static_cast<std::uint64_t>(size))); };
  QByteArray bent = zip, text = chain;
  QList<QByteArray> lines = chain.split('\n');
  const qsizetype line = 1 + at(lines.size() - 2), other = 1 + at(lines.size() - 2);
  const char flip = static_cast<char>(1 << random.below(8));
  switch (random.below(8)) {
    case 5: return mutateFiles(zip, random, what);
    case 6: {
      const qsizetype byte = zip.lastIndexOf("PK\x01\x02") - at(400);   // the list of files at the end
      bent[byte] = static_cast<char>(bent[byte] ^ flip);
      what = QStringLiteral("byte %1 near the end").arg(byte);
      return bent;
    }
    case 7: what = QStringLiteral("end"); return random.below(2) ? zip + chain.left(1 + at(40)) : zip.chopped(1 + at(40));
    case 0: {
      const qsizetype byte = at(zip.size());
      bent[byte] = static_cast<char>(bent[byte] ^ flip);
      what = QStringLiteral("byte %1").arg(byte);
      return bent;
    }
    case 1: {
      const qsizetype byte = at(text.size());
      text[byte] = static_cast<char>(text[byte] ^ flip);
      what = QStringLiteral("byte %1 of the chain").arg(byte);
      return forge(zip, "chain.csv", text);
    }
    case 2: lines.removeAt(line); what = QStringLiteral("record %1 dropped").arg(line); break;
    case 3: lines.insert(other, lines[line]); what = QStringLiteral("record %1 repeated at %2").arg(line).arg(other); break;
    default:
      lines.swapItemsAt(line, line == other ? (line > 1 ? line - 1 : line + 1) : other);
      what = QStringLiteral("record %1 moved").arg(line);
  }
  return forge(zip, "chain.csv", lines.join('\n'));
}

int runScript(const QString& program, const QStringList& arguments, QByteArray& out) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  process.waitForFinished(120000);
  out = process.readAll();
  return process.exitCode();
}

void unpack(const QByteArray& zip, const QDir& folder) {
  for (const auto& [name, data] : readZip(zip)) {
    folder.mkpath(QFileInfo(name).path());
    QFile out(folder.filePath(name));
    if (!out.open(QIODevice::WriteOnly) || out.write(data) != data.size()) qFatal("cannot unpack");
  }
}

}  // namespace

class BundleTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void zipIsWhatOthersReadAndWhatWeWrote() {
    const ZipEntries entries{{"a.txt", "hello"}, {"images/ü.png", QByteArray(1000, '\0')}};
    const QByteArray zip = writeZip(entries);
    QCOMPARE(readZip(zip), entries);
    QTemporaryDir folder;
    QFile out(folder.filePath("x.zip"));
    QVERIFY(out.open(QIODevice::WriteOnly) && out.write(zip) == zip.size());
    out.close();
    QByteArray said;
    QCOMPARE(runScript("python3", {"-c", "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist(), z.read('a.txt'))",
        out.fileName()}, said), 0);
    QVERIFY2(said.contains("None ['a.txt', 'images/ü.png'] b'hello'"), said.constData());
    for (qsizetype i = 0; i < zip.size(); ++i) {
      QByteArray bent = zip;
      bent[i] = static_cast<char>(bent[i] ^ 4);
      QVERIFY_EXCEPTION_THROWN(readZip(bent), Error);
    }
    QVERIFY_EXCEPTION_THROWN(readZip(zip + '\0'), Error);
    QVERIFY_EXCEPTION_THROWN(readZip(zip.chopped(1)), Error);
    QVERIFY_EXCEPTION_THROWN(readZip({}), Error);
  }

  void aBundleHoldsByItself() {
    Finished finished(3, 0.7);
    const QByteArray zip = finished.bundle(), head = finished.ledger.head(finished.study.hash());
    const Verification v = verifyBundle(zip, head);
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QVERIFY(v.revealed && v.head == head);
    QCOMPARE(v.study, finished.study.hash());
    QCOMPARE(v.responses, 3 * 24);
    QCOMPARE(v.analysis["decisions"].toArray().size(), 2);
    QVERIFY(!verifyBundle(zip, QByteArray(64, '0')).problems.isEmpty());
    const Verification closed = verifyBundle(finished.bundle(false));
    QVERIFY(closed.problems.isEmpty() && !closed.revealed && closed.responses == 0);
    QVERIFY(!finished.bundle(false).contains(finished.study.open(sample::kPassphrase).salt.toHex()));
    Ledger other(":memory:");
    const BundledStudy back = openBundle(zip);
    other.restore(back.study, back.chain);
    QCOMPARE(other.head(finished.study.hash()), head);
    QCOMPARE(other.seats(finished.study.hash()).size(), 3u);
    QCOMPARE(other.study(finished.study.hash()).pictures, finished.study.pictures);
  }

  void everyOneOfAThousandMutationsIsFound() {
    Finished finished(1, 0.5);
    const QByteArray zip = finished.bundle(), chain = file(zip, "chain.csv");
    QVERIFY(verifyBundle(zip).problems.isEmpty());
    Random random(20);
    QStringList missed;
    for (int i = 0; i < 1000; ++i) {
      QString what;
      if (verifyBundle(mutate(zip, chain, random, what)).problems.isEmpty()) missed << what;
    }
    QVERIFY2(missed.isEmpty(), qPrintable(missed.join(", ")));
  }

  void whatWasDerivedCannotBeForged_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::newRow("a row of the table") << "responses.csv" << QByteArray(",main,") << QByteArray(",gold,");
    QTest::newRow("a decision") << "analysis.json" << QByteArray("noticeable") << QByteArray("not noticeable");
    QTest::newRow("the report") << "report.html" << QByteArray("%") << QByteArray("");
    QTest::newRow("the printed report") << "report.pdf" << QByteArray("2000") << QByteArray("2001");
    QTest::newRow("the mapping") << "mapping.json" << QByteArray("bnb-nf4") << QByteArray("bnb-fp4");
    QTest::newRow("the protocol") << "frozen.json" << QByteArray("\"margin\":0.1") << QByteArray("\"margin\":0.5");
    QTest::newRow("the script") << "rederive.py" << QByteArray("1e-6") << QByteArray("1e+6");
    QTest::newRow("the codebook") << "codebook.csv" << QByteArray("random id") << QByteArray("name");
  }
  void whatWasDerivedCannotBeForged() {
    QFETCH(QString, name);
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    static Finished finished(1, 0.5);
    static const QByteArray zip = finished.bundle();
    QByteArray text = file(zip, name);
    QVERIFY(text.contains(from));
    text.replace(text.indexOf(from), from.size(), to);
    QVERIFY(!verifyBundle(forge(zip, name, text)).problems.isEmpty());
  }

  // Elsewhere letters may be drawn otherwise: that is said, and is no forgery.
  void aReportInOtherFontsIsNotChecked() {
    Finished finished(1, 0.5);
    const QByteArray zip = finished.bundle();
    QByteArray printed = file(zip, "report.pdf");
    QVERIFY2(printed.contains("/Keywords (cairo "), "the fonts are not named");
    QVERIFY(verifyBundle(zip).notes.isEmpty());
    const Verification v = verifyBundle(forge(zip, "report.pdf", printed.replace("/Keywords (cairo ", "/Keywords (Cairo ")));
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QVERIFY2(v.notes.size() == 1 && v.notes[0].startsWith("report.pdf was not checked: it says that it was set with Cairo "), qPrintable(v.notes.value(0)));
    QVERIFY(!verifyBundle(forge(zip, "report.pdf", printed.replace("/Keywords (", "/Kexwords ("))).problems.isEmpty());
  }

  void erasedParticipantsLeaveAValidBundle() {
    Finished finished(3, 0.6);
    finished.ledger.erase(finished.study.hash(), finished.seats[1].participant);
    const QByteArray zip = finished.bundle();
    const Verification v = verifyBundle(zip);
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QCOMPARE(v.erased, 25);
    QCOMPARE(v.responses, 2 * 24);
    QVERIFY(!zip.contains(finished.seats[1].participant.toLatin1()));
  }

  void othersDeriveEveryFigureAgain() {
    Protocol p = sample::protocol(24);
    p.exclusion.min_gold_rate = 0.6;
    for (TrialKind kind : {TrialKind::Abx, TrialKind::Triangle, TrialKind::SameDifferent, TrialKind::Rating, TrialKind::Ranking}) {
      Block block;
      block.kind = kind;
      block.trials = 24;
      p.blocks.push_back(block);
    }
    const FrozenStudy study = sample::frozen(p);
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    sample::run(ledger, study, 8, 0.6);
    QTemporaryDir folder;
    const QByteArray zip = makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase));
    unpack(zip, QDir(folder.path()));
    QByteArray said;
    const int code = runScript("python3", {folder.filePath("rederive.py"), folder.path(), QString::fromLatin1(ledger.head(study.hash()))}, said);
    QVERIFY2(code == 0 && said.contains("everything agrees"), said.constData());
    if (!QStandardPaths::findExecutable("Rscript").isEmpty() && runScript("Rscript", {"-e", "library(lme4);library(jsonlite)"}, said) == 0)
      QVERIFY2(runScript("Rscript", {folder.filePath("rederive.R"), folder.path()}, said) == 0, said.constData());
    // The scripts must be able to disagree.
    QByteArray text = file(zip, "analysis.json");
    text.replace("\"correct\": 1", "\"correct\": 2");
    QFile out(folder.filePath("analysis.json"));
    QVERIFY(out.open(QIODevice::WriteOnly) && out.write(text) == text.size());
    out.close();
    QCOMPARE(runScript("python3", {folder.filePath("rederive.py"), folder.path()}, said), 1);
  }
};

QTEST_GUILESS_MAIN(BundleTest)
#include "bundle_test.moc"
