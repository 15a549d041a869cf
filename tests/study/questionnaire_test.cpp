// What people say before and after the trials: rows, figures, the bundle, and what is left of it when somebody is erased.
#include "study/bundle.h"
#include "study/csv.h"
#include "study/zip_file.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::study;

namespace {

const QString kText = QStringLiteral("The \"odd\" one, <b>zebra</b>\nfirst");

struct Asked {
  FrozenStudy study = sample::frozen(sample::withQuestions(sample::protocol(4)));
  Ledger ledger{":memory:"};
  std::vector<Seat> seats;

  Asked() {
    ledger.addStudy(study);
    seats = sample::run(ledger, study, 3, 0.6);
    sample::say(ledger, study, seats[0], {{"eyes", "yes"}}, {{"hard", 2}, {"sure", 1}, {"more", kText}});
    sample::say(ledger, study, seats[1], {{"eyes", "no"}}, {{"hard", 5}, {"sure", 3}, {"more", ""}});
    sample::say(ledger, study, seats[2], {{"eyes", "no"}}, {{"hard", 4}, {"sure", 3}, {"more", "nothing"}});
  }
  Responses responses() { return collect(study.protocol(), study.hash(), study.open(sample::kPassphrase), ledger.chain(study.hash())); }
  QJsonArray figures() { return questionnaireFigures(study.protocol(), responses().questionnaires); }
  QByteArray bundle() { return makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase)); }
};

QByteArray file(const QByteArray& zip, const QString& name) {
  for (const auto& [entry, data] : readZip(zip))
    if (entry == name) return data;
  return {};
}

int run(const QString& program, const QStringList& arguments, QByteArray& said) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  if (!process.waitForStarted()) return -1;
  process.waitForFinished(120000);
  said = process.readAll();
  return process.exitCode();
}

}  // namespace

class QuestionnaireTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aRowPerAnswerAndNoneForWhatWasLeftEmpty() {
    Asked asked;
    const CsvTable table = parseCsvTable(questionnairesCsv(asked.responses().questionnaires));
    QCOMPARE(table.header, (QStringList{"record", "participant", "when", "question", "kind", "answer"}));
    QCOMPARE(table.rows.size(), 3 * 4 - 1);
    QCOMPARE(table.rows[0].mid(1), (QStringList{asked.seats[0].participant, "before", "eyes", "choice", "yes"}));
    QCOMPARE(table.rows[1].mid(2), (QStringList{"after", "hard", "likert", "2"}));
    QCOMPARE(table.rows[3].mid(2), (QStringList{"after", "more", "text", kText}));
    QVERIFY(asked.responses().problems.isEmpty());
    QCOMPARE(parseCsvTable(responsesCsv(asked.responses().rows)).rows.size(), 3 * (2 + 4 + 6 + 6));   // as without questions
  }

  void countsAndMedians() {
    Asked asked;
    const QJsonArray figures = asked.figures();
    QCOMPARE(figures.size(), 4);
    QCOMPARE(figures[0]["counts"].toArray(), (QJsonArray{1, 2}));
    QVERIFY(!figures[0].toObject().contains("median"));
    QCOMPARE(figures[1]["counts"].toArray(), (QJsonArray{0, 1, 0, 1, 1}));
    QCOMPARE(figures[1]["median"].toDouble(), 4.0);
    QCOMPARE(figures[2]["choices"].toArray(), (QJsonArray{"never", "now and then", "always"}));
    QCOMPARE(figures[2]["median"].toDouble(), 3.0);
    QCOMPARE(figures[3]["answers"].toInt(), 2);
    QCOMPARE(figures[3]["texts"][0]["answer"].toString(), kText);
    QCOMPARE(questionnaireLine(figures[1]), QStringLiteral("3 answers, median 4.0 · 1: 0 · 2: 1 · 3: 0 · 4: 1 · 5: 1"));
  }

  void ofAQuestionnaireGivenTwiceTheLastCounts() {
    Asked asked;
    asked.ledger.append(asked.study.hash(), "questionnaire", asked.seats[0].participant, {{"when", "after"}, {"answers", QJsonObject{{"hard", 1}}}});
    const QJsonArray figures = asked.figures();
    QCOMPARE(figures[1]["counts"].toArray(), (QJsonArray{1, 0, 0, 1, 1}));
    QCOMPARE(figures[2]["answers"].toInt(), 2);
    QCOMPARE(figures[3]["answers"].toInt(), 1);
    QCOMPARE(figures[0]["answers"].toInt(), 3);                        // before is another one
  }

  void whatAQuestionDoesNotTakeIsAProblem_data() {
    QTest::addColumn<QString>("when");
    QTest::addColumn<QJsonObject>("answers");
    QTest::addColumn<QString>("said");
    QTest::newRow("a step beyond the scale") << "after" << QJsonObject{{"hard", 6}} << "'hard' which that question does not take";
    QTest::newRow("half a step") << "after" << QJsonObject{{"hard", 2.5}} << "'hard' which";
    QTest::newRow("another choice") << "before" << QJsonObject{{"eyes", "blue"}} << "'eyes' which";
    QTest::newRow("no such question") << "before" << QJsonObject{{"hard", 3}} << "'hard' which the protocol does not ask";
    QTest::newRow("no such time") << "during" << QJsonObject{} << "neither before nor after";
  }
  void whatAQuestionDoesNotTakeIsAProblem() {
    QFETCH(QString, when);
    QFETCH(QJsonObject, answers);
    QFETCH(QString, said);
    Asked asked;
    const std::size_t before = asked.responses().questionnaires.size();
    asked.ledger.append(asked.study.hash(), "questionnaire", asked.seats[0].participant, {{"when", when}, {"answers", answers}});
    const Responses responses = asked.responses();
    QCOMPARE(responses.problems.size(), 1);
    QVERIFY2(responses.problems[0].contains(said), qPrintable(responses.problems[0]));
    QCOMPARE(responses.questionnaires.size(), before);
  }

  void theBundleHoldsThemAndTheReportSaysThem() {
    Asked asked;
    const QByteArray zip = asked.bundle();
    const Verification v = verifyBundle(zip);
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    QVERIFY(file(zip, "questionnaires.csv").contains(",sure,likert,3"));
    const QByteArray html = file(zip, "report.html"), book = file(zip, "codebook.csv");
    QVERIFY(html.contains("median 4.0") && html.contains("&lt;b&gt;zebra&lt;/b&gt;") && !html.contains("<b>zebra"));
    QVERIFY(book.contains("questionnaires.csv,when,"));
  }

  // Salts and records go, tombstones stay: no byte of what the person said is left anywhere in the bundle.
  void erasingSomebodyErasesWhatTheySaid() {
    Asked asked;
    const QString hash = asked.study.hash();
    const auto before = asked.ledger.chain(hash);
    QVERIFY(asked.bundle().contains("zebra"));
    asked.ledger.erase(hash, asked.seats[0].participant);
    const auto after = asked.ledger.chain(hash);
    QVERIFY(chainProblems(hash.toLatin1(), after).isEmpty());
    int questionnaires = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const QJsonObject record = before[i].json();
      if (record["kind"].toString() != "questionnaire" || record["participant"].toString() != asked.seats[0].participant) continue;
      ++questionnaires;
      QVERIFY(after[i].erased() && after[i].salt.isEmpty() && after[i].record.isEmpty());
      QCOMPARE(after[i].commitment, before[i].commitment);
    }
    QCOMPARE(questionnaires, 2);
    const QByteArray zip = asked.bundle();
    QVERIFY(!zip.contains("zebra"));
    QVERIFY(!zip.contains(asked.seats[0].participant.toLatin1()));
    const Verification v = verifyBundle(zip);
    QVERIFY2(v.problems.isEmpty(), qPrintable(v.problems.join('\n')));
    const QJsonArray figures = asked.figures();
    QCOMPARE(figures[0]["counts"].toArray(), (QJsonArray{0, 2}));
    QCOMPARE(figures[3]["answers"].toInt(), 1);
  }

  void theScriptsCountThemAgain() {
    Asked asked;
    const QTemporaryDir folder;
    for (const auto& [name, data] : readZip(asked.bundle())) {
      QDir().mkpath(QFileInfo(folder.filePath(name)).path());
      QFile out(folder.filePath(name));
      QVERIFY(out.open(QIODevice::WriteOnly) && out.write(data) == data.size());
    }
    QByteArray said;
    const bool r = run("Rscript", {"-e", "library(lme4);library(jsonlite)"}, said) == 0;
    const auto agree = [&](const char* program, const char* script) { return run(program, {folder.filePath(script), folder.path()}, said); };
    QVERIFY2(agree("python3", "rederive.py") == 0, said.constData());
    if (r) QVERIFY2(agree("Rscript", "rederive.R") == 0, said.constData());
    QFile analysis(folder.filePath("analysis.json"));
    QVERIFY(analysis.open(QIODevice::ReadWrite));
    QJsonObject bent = QJsonDocument::fromJson(analysis.readAll()).object();
    QJsonArray figures = bent["questionnaires"].toArray();
    QJsonObject scale = figures[1].toObject();
    scale["median"] = 3.5;
    figures[1] = scale;
    bent["questionnaires"] = figures;
    analysis.resize(0), analysis.seek(0), analysis.write(QJsonDocument(bent).toJson()), analysis.close();
    QVERIFY(agree("python3", "rederive.py") == 1 && said.contains("median"));
    if (r) QVERIFY(agree("Rscript", "rederive.R") == 1 && said.contains("median"));
    // The table must be that of the chain.
    QFile table(folder.filePath("questionnaires.csv"));
    QVERIFY(table.open(QIODevice::ReadWrite));
    const QByteArray text = table.readAll().replace(",eyes,choice,yes", ",eyes,choice,no");
    table.resize(0), table.seek(0), table.write(text), table.close();
    QVERIFY(agree("python3", "rederive.py") == 1 && said.contains("questionnaires.csv[0].answer"));
  }
};

QTEST_GUILESS_MAIN(QuestionnaireTest)
#include "questionnaire_test.moc"
