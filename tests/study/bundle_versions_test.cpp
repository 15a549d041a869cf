// Bundles outlive the program that made them: what is evidence in them verifies with every later one, and figures say by whose rules they were made.
#include "study/bundle.h"
#include "study/chain.h"
#include "study/csv.h"
#include "study/order.h"
#include "study/revealed.h"
#include "study/zip_file.h"

#include <QJsonDocument>
#include <QTest>

#include <cmath>
#include <functional>

using namespace quantspot::study;

namespace {

QByteArray data(const QString& name) { return qUncompress(readFile(QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/study/data/") + name)); }

// A small study as the first version bundled it (make_bundle.cpp).
QByteArray firstVersion() { return data("bundle-1.qz"); }

using Change = std::function<QByteArray(const QByteArray&)>;

// The bundle with some files changed and a manifest that fits, but for what `manifest` changes in it.
QByteArray changed(const QByteArray& zip, const QMap<QString, Change>& files, const std::function<void(QJsonObject&)>& manifest = {}) {
  ZipEntries entries = readZip(zip);
  QJsonObject listed, own = QJsonDocument::fromJson(entries[0].second).object();
  for (auto& [name, content] : entries) {
    if (files.contains(name)) content = files[name](content);
    if (name != QLatin1String("manifest.json")) listed[name] = QString::fromLatin1(sha256Hex(content));
  }
  own["files"] = listed;
  if (manifest) manifest(own);
  entries[0].second = QJsonDocument(own).toJson(QJsonDocument::Indented);
  return writeZip(entries);
}

QByteArray replaced(QByteArray text, const char* from, const char* to) {
  if (!text.contains(from)) qFatal("%s is not there", from);
  return text.replace(from, to);
}

// Equal but for the last digits, which another machine's library may round otherwise.
bool same(const QJsonValue& a, const QJsonValue& b) {
  if (a.isDouble() && b.isDouble()) return std::abs(a.toDouble() - b.toDouble()) <= 1e-6 * std::max(1.0, std::abs(b.toDouble()));
  if (a.isArray() && b.isArray()) {
    bool all = a.toArray().size() == b.toArray().size();
    for (qsizetype i = 0; all && i < a.toArray().size(); ++i) all = same(a[i], b[i]);
    return all;
  }
  if (!a.isObject() || !b.isObject()) return a == b;
  const QStringList keys = a.toObject().keys();
  return keys == b.toObject().keys() && std::all_of(keys.begin(), keys.end(), [&](const QString& key) { return same(a[key], b[key]); });
}

}  // namespace

class BundleVersionsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void anOlderBundleVerifiesAndSaysWhoseFiguresItHolds() {
    const Verification v = verifyBundle(firstVersion());
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QVERIFY(v.revealed && !v.recomputed && v.responses > 50 && v.records > v.responses);
    QCOMPARE(v.analysis_version, 1);
    QCOMPARE(v.notes.size(), 1);
    QVERIFY2(v.notes[0].contains("made by version 1 of the analysis") && v.notes[0].contains("not recomputed"), qPrintable(v.notes[0]));
    QVERIFY(!v.notes[0].contains('\n'));
  }

  // Everything but the figures is held as in a bundle of today.
  void whatIsEvidenceInItIsChecked_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QString>("said");
    QTest::newRow("a response") << "responses.csv" << QByteArray(",main,") << QByteArray(",gold,") << "responses.csv does not follow";
    QTest::newRow("a questionnaire") << "questionnaires.csv" << QByteArray("colours") << QByteArray("colors") << "questionnaires.csv does not follow";
    QTest::newRow("the chain") << "chain.csv" << QByteArray("response_ms") << QByteArray("response_mS") << "record";
    QTest::newRow("the study") << "frozen.json" << QByteArray("as seen") << QByteArray("as sean") << "frozen.json is not the study";
    QTest::newRow("the mapping") << "mapping.json" << QByteArray("bnb-nf4") << QByteArray("bnb-nf5") << "mapping.json is not the mapping";
    QTest::newRow("whose figures") << "analysis.json" << QByteArray("\"study\": \"") << QByteArray("\"study\": \"0")
                                   << "analysis.json is not of this study";
  }
  void whatIsEvidenceInItIsChecked() {
    QFETCH(QString, file);
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    QFETCH(QString, said);
    const Change change = [&](const QByteArray& text) {
      const qsizetype at = text.indexOf(from);
      return at < 0 ? QByteArray("not there") : text.left(at) + to + text.mid(at + from.size());
    };
    const QStringList problems = verifyBundle(changed(firstVersion(), {{file, change}})).problems;
    QVERIFY2(problems.join('\n').contains(said), qPrintable(problems.join('\n')));
    QByteArray unlisted = firstVersion();   // the figures are not derived, but not a bit of them may change
    unlisted[unlisted.indexOf("\"detection\"") + 3] = 'E';
    QVERIFY(!verifyBundle(unlisted).problems.isEmpty());
  }

  // The same responses with the figures that were kept of later versions.
  void bundlesOfTheVersionsBetweenVerify() {
    for (int version = 3; version < kAnalysisVersion; ++version) {
      const QByteArray figures = data(QStringLiteral("analysis-%1.qz").arg(version));
      QVERIFY(!figures.isEmpty());
      const QByteArray zip = changed(firstVersion(), {{"analysis.json", [&](const QByteArray&) { return figures; }}},
                                     [&](QJsonObject& m) { m["analysis"] = version; });
      const Verification v = verifyBundle(zip);
      QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
      QVERIFY(!v.recomputed && v.notes.join(' ').contains(QStringLiteral("made by version %1 of the analysis").arg(version)));
      QCOMPARE(v.analysis_version, version);
    }
  }

  void itsResponsesAreAnalyzedByTheRulesOfToday() {
    const RevealedStudy study = revealedBundle(firstVersion());
    QCOMPARE(study.analysis["version"].toInt(), kAnalysisVersion);
    QCOMPARE(study.analysis["decisions"].toArray().size(), 2);
    const BundledStudy opened = openBundle(firstVersion());
    const Verification now = verifyBundle(makeBundle(opened.study, opened.chain, opened.mapping));
    QVERIFY2(now.problems.isEmpty() && now.recomputed, qPrintable(now.problems.join('\n')));
    QCOMPARE(now.analysis_version, kAnalysisVersion);
  }

  // Figures of today cannot be passed off as another version's, which would not be derived anew.
  void theVersionCannotBeChangedAlone() {
    const BundledStudy opened = openBundle(firstVersion());
    const QByteArray zip = makeBundle(opened.study, opened.chain, opened.mapping);
    const auto problems = [&](const std::function<void(QJsonObject&)>& manifest) { return verifyBundle(changed(zip, {}, manifest)).problems; };
    QVERIFY(problems([](QJsonObject&) {}).isEmpty());
    for (const QJsonValue& version : {QJsonValue(1), QJsonValue(kAnalysisVersion + 1), QJsonValue(0), QJsonValue("two")})
      QVERIFY2(problems([&](QJsonObject& m) { m["analysis"] = version; }).join(' ').contains("version"), qPrintable(version.toVariant().toString()));
    QVERIFY(problems([](QJsonObject& m) { m.remove("analysis"); }).join(' ').contains("another version than the manifest says"));
    const Change later = [](const QByteArray& text) {
      return replaced(text, QByteArray("\"version\": " + QByteArray::number(kAnalysisVersion)).constData(), "\"version\": 99");
    };
    const Verification newer = verifyBundle(changed(zip, {{"analysis.json", later}}, [](QJsonObject& m) { m["analysis"] = 99; }));
    QVERIFY2(newer.problems.isEmpty() && !newer.recomputed && newer.notes.join(' ').contains("version 99"), qPrintable(newer.problems.join('\n')));
  }

  // Whoever changes a figure or a sentence raises kAnalysisVersion, so that bundles made before still verify; then keep the new figures here
  // (`quantspot-study analyze` of bundle-1, compressed by qCompress).
  void figuresChangeWithTheirVersion() {
    const QJsonObject kept = QJsonDocument::fromJson(data(QStringLiteral("analysis-%1.qz").arg(kAnalysisVersion))).object();
    QVERIFY2(!kept.isEmpty(), "no figures are kept of this version");
    QVERIFY2(same(revealedBundle(firstVersion()).analysis, kept), "figures have changed: raise kAnalysisVersion, and keep the new ones");
  }
};

QTEST_GUILESS_MAIN(BundleVersionsTest)
#include "bundle_versions_test.moc"
