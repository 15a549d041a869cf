// Prompt sets in the forms people have them in, and the one that comes with the program.
#include "evaluation/plan.h"
#include "evaluation/prompt_set.h"

#include <QFile>
#include <QRegularExpression>
#include <QSet>
#include <QTest>

#include <algorithm>
#include <set>

using namespace quantspot::evaluation;

namespace {

PlanRequest request() {
  return {"abc", {{"steps", 2}, {"width", 64}}, nlohmann::json::object(), parsePromptSet("a fox\na cat\n", "two"), {7, 8}, {"bf16", "bnb-nf4?skip=a,b"}};
}

QStringList lines(const char* path) {
  QFile file(QString::fromUtf8(path));
  return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()).split(u'\n', Qt::SkipEmptyParts) : QStringList();
}

// Whether the default model's captions could say this: its names, the colours, places and words of its trainer (scenes.py, captions.py).
bool isKnown(const QString& prompt, const QSet<QString>& names) {
  static const QRegularExpression form(QStringLiteral(
      "^(?<what>.+?) (?:on|in the (?:top|bottom) (?:left|right) corner of|on the (?:left|right) of|at the (?:top|bottom) of) "
      "(?:an? (?<colour>\\w+) background|a background of (?<first>\\w+) (?:beside|above) (?<second>\\w+))$"));
  static const QRegularExpression sign(QStringLiteral("^(?:(?<above>.+) above )?a sign that says [A-Z]+$"));
  static const QRegularExpression between(QStringLiteral(" to the left of | above |, | and ")), before(QStringLiteral("^an? (?:big |small )?"));
  static const QRegularExpression number(QStringLiteral("^(?:two|three|four) (.+)s$"));
  static const QSet<QString> colours = {"red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "gray", "white", "black"};
  const auto parts = form.match(prompt), board = sign.match(parts.captured(u"what"));
  if (!parts.hasMatch()) return false;
  for (const auto* colour : {u"colour", u"first", u"second"})
    if (const QString word = parts.captured(QStringView(colour)); !word.isEmpty() && !colours.contains(word)) return false;
  const QString what = board.hasMatch() ? board.captured(u"above") : parts.captured(u"what");
  if (const auto many = number.match(what); many.hasMatch()) return names.contains(many.captured(1));
  const QStringList subjects = what.split(between, Qt::SkipEmptyParts);
  return std::all_of(subjects.begin(), subjects.end(), [&](QString subject) { return names.contains(subject.remove(before)); });
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
    QCOMPARE(set.categories().size(), std::size_t{8});
    std::set<std::string> texts;
    for (const Prompt& prompt : set.prompts) texts.insert(prompt.text);
    QCOMPARE(texts.size(), std::size_t{64});
    const QStringList offered = lines(QUANTSPOT_SOURCE_DIR "/resources/default_model/prompts.txt");
    QCOMPARE(offered.value(0), QStringLiteral("a fox on a yellow background"));
    for (const QString& text : offered) texts.insert(text.toStdString());
    QStringList names = lines(QUANTSPOT_SOURCE_DIR "/resources/default_model/names.txt");
    QVERIFY(names.size() > 1400);
    names.replaceInStrings(QRegularExpression("^an? "), QString());
    for (const std::string& text : texts) QVERIFY2(isKnown(QString::fromStdString(text), {names.begin(), names.end()}), text.c_str());
    for (const char* text : {"a fax on a yellow background", "a fox on a golden background", "three lemon trees on a red background",
                             "a fox and a bat wing on a red background", "a fox", "a fox above a sign that says hello on a red background"})
      QVERIFY2(!isKnown(QString::fromUtf8(text), {names.begin(), names.end()}), text);
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
