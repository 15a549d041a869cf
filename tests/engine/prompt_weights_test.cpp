#include "engine/model/prompt_weights.h"

#include <QTest>

using namespace quantspot::model;

class PromptWeightsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void bracketsAreWeights_data() {
    QTest::addColumn<QByteArray>("prompt");
    QTest::addColumn<QByteArrayList>("texts");
    QTest::addColumn<QList<double>>("weights");
    const auto row = [](const char* prompt, const QByteArrayList& texts, const QList<double>& weights) { QTest::newRow(prompt) << QByteArray(prompt) << texts << weights; };
    row("a fox", {"a fox"}, {1});
    row("", {""}, {1});
    row("a (red:1.3) fox", {"a ", "red", " fox"}, {1, 1.3, 1});
    row("a (red) [small] fox", {"a ", "red", " ", "small", " fox"}, {1, 1.1, 1, 1 / 1.1, 1});
    row("((a) b)", {"a", " b"}, {1.1 * 1.1, 1.1});
    row("(a (b:2) c:0.5)", {"a ", "b", " c"}, {0.5, 1, 0.5});
    row("(a", {"a"}, {1.1});
    row("a) b]", {"a) b]"}, {1});
    row("\\(a\\) \\\\ \\x", {"(a) \\ \\x"}, {1});
    row("(a : b) c", {"a : b", " c"}, {1.1, 1});
    row("at 3:2) (ratio: +1.5 )", {"at 3:2) ", "ratio"}, {1, 1.5});
    row("(ä:0)", {"ä"}, {0});
    row("(a:nan) (b:1e999)", {"a:nan", " ", "b:1e999"}, {1.1, 1, 1.1});
  }
  void bracketsAreWeights() {
    QFETCH(QByteArray, prompt);
    QFETCH(QByteArrayList, texts);
    QFETCH(QList<double>, weights);
    const auto parts = parseWeights(prompt.toStdString());
    QCOMPARE(static_cast<qsizetype>(parts.size()), texts.size());
    for (qsizetype i = 0; i < texts.size(); ++i) {
      const WeightedText& part = parts[static_cast<std::size_t>(i)];
      QCOMPARE(QByteArray::fromStdString(part.text), texts[i]);
      QVERIFY2(std::abs(part.weight - weights[i]) < 1e-12, QByteArray::number(part.weight));
    }
  }
};

QTEST_APPLESS_MAIN(PromptWeightsTest)
#include "prompt_weights_test.moc"
