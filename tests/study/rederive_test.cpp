// The scripts inside a bundle must notice every kind of figure that was changed: what rederive.py leaves out, rederive.R must find.
#include "study/bundle.h"
#include "study/csv.h"
#include "study/error.h"
#include "study/rounding.h"
#include "study/zip_file.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace quantspot::study;

namespace {

struct Run {
  int code = -1;
  QByteArray out;
};

Run run(const QString& program, const QStringList& arguments) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  if (!process.waitForStarted()) return {};
  process.waitForFinished(280000);
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1, process.readAll()};
}

void write(const QString& path, const QByteArray& bytes) {
  QDir().mkpath(QFileInfo(path).path());
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("cannot write");
}

// Every kind of trial, all rules that exclude, few people: small enough to be derived a hundred times.
Protocol everyKind(StoppingRule rule) {
  Protocol p = sample::protocol(12);
  p.costs = {{"bf16", {31.4e9, 20}}, {"bnb-nf4", {12.6e9, 20.4}}, {"gguf-q4_k", {0.4e9, 0}}};
  p.exclusion = {.min_gold_rate = 0.6, .min_median_ms = 900, .max_focus_losses = 3};
  p.stopping = {.rule = rule, .null_rate = 0.25, .alternative_rate = 0.6};
  for (TrialKind kind : {TrialKind::Abx, TrialKind::Triangle, TrialKind::SameDifferent, TrialKind::Rating, TrialKind::Ranking}) {
    Block block;
    block.kind = kind;
    block.trials = 10;
    p.blocks.push_back(block);
  }
  return sample::withQuestions(p);
}

QByteArray bundleOf(StoppingRule rule, int people) {
  const FrozenStudy study = sample::frozen(everyKind(rule));
  Ledger ledger(":memory:");
  ledger.addStudy(study);
  for (const Seat& seat : sample::run(ledger, study, people, 0.5, 3))
    sample::say(ledger, study, seat, {{"eyes", "no"}}, {{"hard", 2 + seat.cell % 3}, {"sure", 1}, {"more", "colours"}});
  ledger.close(study.hash());
  return makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase));
}

}  // namespace

class RederiveTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  QString unpacked(const QByteArray& zip, const char* name) const {
    const QString folder = folder_.filePath(QLatin1String(name));
    for (const auto& [file, data] : readZip(zip)) write(folder + u'/' + file, data);
    return folder;
  }

 private Q_SLOTS:
  // A tiny negative ability was "-0.00" here and "0.00" there; halves fell to either side.
  void figuresAreRoundedAlikeInEveryLanguage() {
    const QList<QPair<double, const char*>> cases{{-0.0, "0.00"}, {-1e-12, "0.00"}, {-3e-4, "0.00"}, {-0.0049, "0.00"}, {-0.005, "-0.01"},
        {0.125, "0.13"}, {-0.125, "-0.13"}, {0.125 - 1e-9, "0.13"}, {0.125 + 1e-9, "0.13"}, {1.005, "1.01"}, {-2.5, "-2.50"}, {0.1249, "0.12"},
        {12345.675, "12345.68"}};
    QStringList expected, values;
    for (const auto& [value, text] : cases) {
      QCOMPARE(rounded(value, 2), QLatin1String(text));
      expected << QLatin1String(text);
      values << QString::number(value, 'g', 17);
    }
    QCOMPARE(rounded(12.5, 0), QStringLiteral("13"));
    QCOMPARE(rounded(-0.4, 0), QStringLiteral("0"));
    const QString scripts = QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/study"), list = values.join(u',');
    const Run python = run("python3", {"-c", QStringLiteral("import sys; sys.path.insert(0, '%1'); sys.dont_write_bytecode = True; import rederive; "
        "print(' '.join(rederive.rounded(x, 2) for x in [%2]), rederive.rounded(12.5, 0), rederive.rounded(-0.4, 0))").arg(scripts, list)});
    QCOMPARE(QString::fromUtf8(python.out).trimmed(), expected.join(u' ') + " 13 0");
    if (run("Rscript", {"--version"}).code != 0) QSKIP("R is not here");
    const Run r = run("Rscript", {"-e", QStringLiteral("for (e in parse('%1/rederive.R')) if (is.call(e) && identical(as.character(e[[2]])[1], 'rounded')) eval(e); "
        "cat(sapply(c(%2), rounded, 2), rounded(12.5, 0), rounded(-0.4, 0))").arg(scripts, list)});
    QCOMPARE(QString::fromUtf8(r.out).trimmed(), expected.join(u' ') + " 13 0");
  }

  void everyRuleIsDerivedAgain_data() {
    QTest::addColumn<int>("rule");
    QTest::newRow("fixed") << static_cast<int>(StoppingRule::Fixed);
    QTest::newRow("SPRT") << static_cast<int>(StoppingRule::Sprt);
    QTest::newRow("always-valid") << static_cast<int>(StoppingRule::AlwaysValid);
  }
  void everyRuleIsDerivedAgain() {
    QFETCH(int, rule);
    const QString folder = unpacked(bundleOf(static_cast<StoppingRule>(rule), 4), QTest::currentDataTag());
    const Run done = run("python3", {folder + "/rederive.py", folder});
    QVERIFY2(done.code == 0 && done.out.startsWith("everything agrees: "), done.out.left(3000).constData());
  }

  // One comparison, one participant, one trial each: what is counted once is called so, in all languages.
  void whatIsCountedOnceIsCalledSo() {
    Protocol p = sample::protocol(2);
    p.comparisons = {{"c0", "a fox", false, {{"reference_repeats", 1}, {"reference_repeats_equal", true}, {"gate", QJsonObject{{"overruled", true}}}}}};
    p.blocks.resize(1);
    p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = p.practice = 0;
    p.stopping = {.rule = StoppingRule::Sprt, .null_rate = 0.25, .alternative_rate = 0.6};
    const FrozenStudy study = sample::frozen(p);
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    sample::run(ledger, study, 1, 0.5, 3);
    ledger.close(study.hash());
    const QByteArray zip = makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase));
    const QString folder = unpacked(zip, "once"), figures = QString::fromUtf8(readFile(folder + "/analysis.json"));
    for (const char* words : {"1 person, 1 trial; ", " in 1 trial)", "Known of the one comparison: ", "in 1 of 1 comparison.", "for 1 of 1 comparison."})
      QVERIFY2(figures.contains(words), words);
    QVERIFY(readFile(folder + "/report.html").contains("1 person, 2 answers."));
    const Run done = run("python3", {folder + "/rederive.py", folder});
    QVERIFY2(done.code == 0 && done.out.startsWith("everything agrees: "), done.out.left(3000).constData());
  }

  // Twelve preferences, eleven for what stands second: one order has no answer against it, so that the plain fit runs away; and Firth's steps from
  // 0, shortened to 1, lead beyond the top and back.
  void fewPreferencesThatSeparateAreFitAlike_data() {
    QTest::addColumn<int>("trials");
    QTest::addColumn<int>("won");
    QTest::newRow("one of two") << 2 << 1;
    QTest::newRow("one of six") << 6 << 1;
    QTest::newRow("five of six") << 6 << 5;
  }
  void fewPreferencesThatSeparateAreFitAlike() {
    QFETCH(int, trials);
    QFETCH(int, won);
    Protocol p = sample::protocol(1);
    p.variants = {"bf16", "bnb-nf4"}, p.bits.clear(), p.costs.clear(), p.gold_variant.clear(), p.practice = 0, p.stopping = {};
    Block block;
    block.kind = TrialKind::Preference, block.trials = trials;
    p.blocks = {block};
    const FrozenStudy study = sample::frozen(p);
    const Mapping mapping = study.open(sample::kPassphrase);
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    for (int person = 0, first = 0; person < 2; ++person) {
      const Seat seat = ledger.join(study.hash());
      for (const PlannedTrial& trial : planTrials(study, mapping, seat.participant, seat.cell))   // both orders come as often
        ledger.answer(study, mapping, seat, trial.index, trial.shown[0] == "bf16" && first++ < won ? "A" : "B");
    }
    ledger.close(study.hash());
    const QString folder = unpacked(makeBundle(study, ledger.chain(study.hash()), mapping), QTest::currentDataTag());
    QVERIFY(readFile(folder + "/analysis.json").contains("\"bias_reduced\": true"));
    const Run done = run("python3", {folder + "/rederive.py", folder});
    QVERIFY2(done.code == 0 && done.out.startsWith("everything agrees: "), done.out.left(3000).constData());
  }

  // As statistics_rules_test::aCurveThatAnswersHardlyBendIsFitToItsTop.
  void curvesThatAnswersHardlyBendAreFitAlike() {
    const Run python = run("python3", {"-c", QStringLiteral("import sys; sys.path.insert(0, '%1'); sys.dont_write_bytecode = True; import rederive_curve as s\n"
        "for l, g in (([(8, 4, 11), (4.5, 4, 10), (2.1, 1, 13)], 1 / 3), ([(8, 2, 6), (4.5, 5, 6), (2.1, 2, 6)], 0.5)):\n"
        "  slope = s.psychometric(l, g, 1.96)['slope']; print('%.8f %.4f' % (slope['value'], slope['standard_error']))")
        .arg(QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/study"))});
    QCOMPARE(QString::fromUtf8(python.out), QStringLiteral("0.89972163 29.5162\n-0.06371692 26.9568\n"));
  }

  // A change that makes a file unreadable is told as one, with the file's name, not as a failure of the script.
  void whatCannotBeReadIsAProblem() {
    const QString folder = unpacked(bundleOf(StoppingRule::Fixed, 2), "unreadable");
    for (const char* file : {"responses.csv", "chain.csv", "questionnaires.csv", "analysis.json", "frozen.json", "manifest.json"}) {
      const QByteArray whole = readFile(folder + u'/' + file);
      const QString name = QLatin1String(file);
      for (const QByteArray& changed : {QByteArray(whole).replace(",", "-,"), whole.left(whole.size() / 2), QByteArray("\xff")}) {
        write(folder + u'/' + name, changed);
        const Run done = run("python3", {folder + "/rederive.py", folder});
        QVERIFY2(done.code == 1 && !done.out.contains("Traceback"), done.out.left(3000).constData());
        if (name != "manifest.json") QVERIFY2(done.out.contains(name.toUtf8() + ": its hash is not the manifest's"), done.out.left(3000).constData());
      }
      write(folder + u'/' + name, whole);
    }
    const Run done = run("python3", {folder + "/rederive.py", folder});
    QVERIFY2(done.code == 0, done.out.left(3000).constData());
  }

  // gguf-q4_k is always found, always loses and is always last; the others tie; one person is erased, one is too fast.
  void separationTiesAndErasureAreDerivedAgain() {
    const FrozenStudy study = sample::frozen(everyKind(StoppingRule::Sprt));
    const Mapping mapping = study.open(sample::kPassphrase);
    const Protocol p = study.protocol();
    Ledger ledger(":memory:");
    ledger.addStudy(study);
    quantspot::statistics::Random random(8);
    std::vector<Seat> seats;
    for (int person = 0; person < 5; ++person) {
      seats.push_back(ledger.join(study.hash(), {{"consent", "1"}}));
      for (const PlannedTrial& trial : planTrials(study, mapping, seats.back().participant, seats.back().cell)) {
        QString answer = sample::answerOf(p, trial, trial.variants[0] == "gguf-q4_k" ? 1 : 0.3, random);
        const qsizetype worst = trial.shown.indexOf("gguf-q4_k");
        if (trial.kind == TrialKind::Preference) answer = worst < 0 ? QStringLiteral("tie") : QString(QLatin1Char(worst == 0 ? 'B' : 'A'));
        if (trial.kind == TrialKind::Ranking)
          answer = (worst == 0 ? QStringLiteral("B,C,A") : worst == 1 ? QStringLiteral("A,C,B") : QStringLiteral("A,B,C"));
        ledger.answer(study, mapping, seats.back(), trial.index, answer,
                      {{"response_ms", person == 1 ? 300 : static_cast<int>(1000 + random.below(3000))}, {"focus_losses", 0}});
      }
    }
    ledger.erase(study.hash(), seats[0].participant);
    ledger.close(study.hash());
    const QString folder = unpacked(makeBundle(study, ledger.chain(study.hash()), mapping), "separated");
    const QByteArray analysis = readFile(folder + "/analysis.json");
    for (const char* part : {"\"separated\": true", "\"reason\": \"separation: all right", "too fast", "sequential test chose 60 %"})
      QVERIFY2(analysis.contains(part), part);
    const Run done = run("python3", {folder + "/rederive.py", folder});
    QVERIFY2(done.code == 0 && done.out.startsWith("everything agrees: "), done.out.left(3000).constData());
    if (run("Rscript", {"-e", "library(lme4);library(jsonlite)"}).code != 0) return;
    const Run agrees = run("Rscript", {folder + "/rederive.R", folder});
    QVERIFY2(agrees.code == 0, agrees.out.constData());
  }

  void noKindOfFigureCanBeChangedUnseen() {
    const QString folder = unpacked(bundleOf(StoppingRule::Sprt, 3), "bent");
    const Run bent = run("python3", {QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/study/mutate_analysis.py"), folder});
    QVERIFY2(bent.code == 0, bent.out.constData());
    QStringList left = QString::fromUtf8(bent.out).trimmed().split(u'\n');
    QVERIFY2(left.takeLast().section(u' ', 0, 0).toInt() > 90, bent.out.constData());
    // Of mixed models, as far as they could be fitted, and nothing else. (Their value and what the interval is made of are left to R, too, but do
    // not go unseen: the interval would no longer follow.)
    for (const QString& key : left) QVERIFY2((QStringList{"standard_error", "participant_sd", "prompt_sd", "singular", "reason"}).contains(key), qPrintable(key));
  }

  void whatIsLeftToRIsFoundByR() {
    if (run("Rscript", {"-e", "library(lme4);library(jsonlite)"}).code != 0) QSKIP("R with lme4 and jsonlite is not here");
    const QString folder = unpacked(bundleOf(StoppingRule::Fixed, 8), "r"), name = folder + "/analysis.json";
    const Run agrees = run("Rscript", {folder + "/rederive.R", folder});
    QVERIFY2(agrees.code == 0, agrees.out.constData());
    const QByteArray text = readFile(name);
    for (const char* key : {"participant_sd", "prompt_sd", "value", "standard_error", "half_width"}) {
      QJsonObject analysis = QJsonDocument::fromJson(text).object(), part = analysis["without_exclusions"].toObject();
      QJsonArray detection = part["detection"].toArray();
      bool changed = false;
      for (qsizetype i = 0; i < detection.size() && !changed; ++i) {
        QJsonObject figure = detection[i].toObject(), mixed = figure["mixed"].toObject(), logit = mixed["log_odds_against_chance"].toObject();
        if (logit.isEmpty()) continue;
        QJsonObject& place = mixed.contains(QLatin1String(key)) ? mixed : logit;
        const double stated = place[QLatin1String(key)].toDouble();
        place[QLatin1String(key)] = stated + std::max(0.1, 0.1 * std::abs(stated));
        mixed["log_odds_against_chance"] = logit;
        figure["mixed"] = mixed;
        detection[i] = figure;
        changed = true;
      }
      QVERIFY2(changed, "no mixed model was fitted");
      part["detection"] = detection;
      analysis["without_exclusions"] = part;
      write(name, QJsonDocument(analysis).toJson());
      QVERIFY2(run("Rscript", {folder + "/rederive.R", folder}).code == 1, key);
    }
  }

  void everyColumnIsInTheCodebook() {
    const QByteArray zip = bundleOf(StoppingRule::Fixed, 1);
    QMap<QString, QByteArray> files;
    for (const auto& [name, data] : readZip(zip)) files[name] = data;
    const CsvTable book = parseCsvTable(files["codebook.csv"]), responses = parseCsvTable(files["responses.csv"]);
    QMap<QString, QStringList> documented;
    for (const QStringList& row : book.rows) {
      documented[row[0]] << row[1];
      QVERIFY2(row[2].size() > 5, qPrintable(row[1]));
    }
    QCOMPARE(documented["responses.csv"], responses.header);
    QCOMPARE(documented["questionnaires.csv"], parseCsvTable(files["questionnaires.csv"]).header);
    QCOMPARE(responses.rows.size(), 2 + 12 + 2 + 2 + 2 + 6 + 5 * 10);
    QFile doc(QStringLiteral(QUANTSPOT_SOURCE_DIR "/docs/study-analysis.md"));
    QVERIFY(doc.open(QIODevice::ReadOnly));
    const QString text = QString::fromUtf8(doc.readAll());
    for (const QString& column : documented["responses.csv"] + documented["questionnaires.csv"]) QVERIFY2(text.contains(u'`' + column + u'`'), qPrintable(column));
  }
};

QTEST_GUILESS_MAIN(RederiveTest)
#include "rederive_test.moc"
