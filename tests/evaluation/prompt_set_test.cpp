// Prompt sets in the forms people have them in, and the one that comes with the program.
#include "evaluation/plan.h"
#include "evaluation/prompt_set.h"

#include <QFile>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

#include <set>

using namespace quantspot::evaluation;

namespace {

PlanRequest request() {
  return {"abc", {{"steps", 2}, {"width", 64}}, nlohmann::json::object(), parsePromptSet("a fox\na cat\n", "two"), {7, 8}, {"bf16", "bnb-nf4?skip=a,b"}};
}

}  // namespace

class PromptSetTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void plainLinesArePrompts() {
    const PromptSet set = parsePromptSet("a fox, red\n\n  a \"cat\"\r\n\"quoted\" dog", "mine");
    QCOMPARE(set.prompts, (std::vector<Prompt>{{"a fox, red", "", ""}, {"a \"cat\"", "", ""}, {"\"quoted\" dog", "", ""}}));
    QVERIFY(set.categories().empty());
  }

  void partiPromptsKeepTheirCategories() {
    const PromptSet set = parsePromptSet("Prompt\tCategory\tChallenge\tNote\r\nbond\tAbstract\tBasic\tBiology\r\nsix sheep, two dogs\tAnimals\tQuantity\t\r\n", "parti");
    QCOMPARE(set.prompts, (std::vector<Prompt>{{"bond", "Abstract", "Basic"}, {"six sheep, two dogs", "Animals", "Quantity"}}));
    QCOMPARE(set.categories(), (std::vector<std::string>{"Abstract", "Animals"}));
  }

  void drawBenchIsCsv() {
    const PromptSet set = parsePromptSet("Prompts,Category\nA red car.,Colors\n\"A bird, a dog and \"\"a sign\"\"\nbelow\",Counting\n", "drawbench");
    QCOMPARE(set.prompts, (std::vector<Prompt>{{"A red car.", "Colors", ""}, {"A bird, a dog and \"a sign\"\nbelow", "Counting", ""}}));
  }

  void whatIsBrokenIsNamed_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("word");
    QTest::newRow("empty") << QByteArray("\n  \n") << QByteArray("no prompt");
    QTest::newRow("only a header") << QByteArray("Prompt\tCategory\n") << QByteArray("no prompt");
    QTest::newRow("empty field") << QByteArray("Prompt\tCategory\nx\tA\n\tB\n") << QByteArray("row 3");
    QTest::newRow("open quote") << QByteArray("Prompts,Category\n\"x,A\n") << QByteArray("row 2");
  }
  void whatIsBrokenIsNamed() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, word);
    try {
      parsePromptSet(text.toStdString(), "f");
      QFAIL("it was taken");
    } catch (const std::runtime_error& error) {
      QVERIFY2(QByteArray(error.what()).contains(word), error.what());
    }
  }

  void theBundledSetSpeaksTheModelsWords() {
    const PromptSet set = readPromptSet(QUANTSPOT_SOURCE_DIR "/resources/prompts/emoji-64.tsv");
    QCOMPARE(set.prompts.size(), std::size_t{64});
    QCOMPARE(set.categories().size(), std::size_t{7});
    const QRegularExpression form("^(.+) on an? (\\w+) background$"), article("^an? ");
    QSet<QString> subjects, colours, used;
    QFile known(QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/default_model/prompts.txt"));
    QVERIFY(known.open(QIODevice::ReadOnly));
    for (const QByteArray& line : known.readAll().split('\n')) {
      const auto match = form.match(QString::fromUtf8(line.trimmed()));
      if (!match.hasMatch()) continue;
      colours << match.captured(2);
      for (QString subject : match.captured(1).split(" and ")) subjects << subject.remove(article);
    }
    QCOMPARE(subjects.size(), 44);
    QCOMPARE(colours.size(), 12);
    for (const Prompt& prompt : set.prompts) {
      const auto match = form.match(QString::fromStdString(prompt.text));
      QVERIFY2(match.hasMatch() && colours.contains(match.captured(2)), prompt.text.c_str());
      for (QString subject : match.captured(1).split(" and ")) {
        QVERIFY2(subjects.contains(subject.remove(article)), prompt.text.c_str());
        used << subject;
      }
    }
    QCOMPARE(used, subjects);
    const std::set<std::string> texts = [&] { std::set<std::string> all; for (const Prompt& p : set.prompts) all.insert(p.text); return all; }();
    QCOMPARE(texts.size(), std::size_t{64});
  }

  void aCellsNameHoldsWhatShapesIt() {
    const Plan plan(request());
    QCOMPARE(plan.cells().size(), std::size_t{8});
    QCOMPARE(plan.cell(1, 0, 1).image, std::string("bnb-nf4+skip=a+b/0001-seed7.png"));
    QCOMPARE(Plan(request()).cells()[3].key, plan.cells()[3].key);
    std::set<std::string> keys;
    for (const Cell& cell : plan.cells()) keys.insert(cell.key);
    QCOMPARE(keys.size(), plan.cells().size());
    std::vector<PlanRequest> others(4, request());
    others[0].weights = "abd";
    others[1].recipe["steps"] = 3;
    others[2].extras["offload"] = "group";
    others[3].precisions[0] = "fp32";
    for (const PlanRequest& other : others) QVERIFY(Plan(other).cells()[0].key != plan.cells()[0].key);
    PlanRequest moved = request();       // a prompt keeps its cells when others come before it
    std::swap(moved.prompts.prompts[0], moved.prompts.prompts[1]);
    QCOMPARE(Plan(moved).cell(1, 0, 0).key, plan.cell(0, 0, 0).key);
  }

  void nothingTwice() {
    PlanRequest precisions = request(), seeds = request(), none = request();
    precisions.precisions.push_back("bf16");
    seeds.seeds.push_back(7);
    none.prompts.prompts.clear();
    for (const PlanRequest& wrong : {precisions, seeds, none}) QVERIFY_EXCEPTION_THROWN(Plan{wrong}, std::invalid_argument);
  }
};

QTEST_GUILESS_MAIN(PromptSetTest)
#include "prompt_set_test.moc"
