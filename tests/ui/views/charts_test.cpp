// What the charts say of known figures.
#include "ui/views/bar_charts.h"
#include "ui/views/eyes_chart.h"
#include "ui/views/plot.h"
#include "ui/views/quality_chart.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/result_panel.h"
#include "ui/views/theme.h"

#include <QComboBox>
#include <QJsonArray>
#include <QJsonObject>
#include <QLabel>
#include <QTest>

using namespace quantspot;
using namespace quantspot::views;

namespace {

constexpr double kMiB = 1024 * 1024;

study::Sample sample(const QString& precision, double decodePeak) {
  study::Sample s;
  s.precision = precision;
  s.report = {{"seconds", QJsonObject{{"load", 1.0}, {"quantize", 0.5}, {"encode", 0.25}, {"steps", QJsonArray{0.5, 0.5, 0.5}}, {"decode", 0.25},
      {"total", 3.6}}},
              {"peak_bytes", QJsonObject{{"load", 100 * kMiB}, {"encode", 80 * kMiB}, {"denoise", 150 * kMiB}, {"decode", decodePeak}}},
              {"weights", QJsonObject{{"transformer", QJsonObject{{"bytes", 7.0}}}, {"vae", QJsonObject{{"bytes", 3.0}}}}}};
  return s;
}

double highestBar(QCustomPlot* plot) {
  double sum = 0;
  for (int i = 0; i < plot->plottableCount(); ++i) sum += static_cast<QCPBars*>(plot->plottable(i))->data()->at(0)->value;
  return sum;
}

}  // namespace

class ChartsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void figuresComeFromTheReport() {
    const Figures f = figuresOf(sample(QStringLiteral("bnb-nf4"), 0));
    QCOMPARE(f.load, 1.5);
    QCOMPARE(f.denoise(), 1.5);
    QCOMPARE(f.weights, 10.0);
    QCOMPARE(f.highestPeak(), 150 * kMiB);
    QCOMPARE(figuresOf(study::Sample{}).total, 0.0);              // an empty report is no crash
  }

  void memoryIsCountedFromTheIdleEngine() {
    study::Sample s = sample(QStringLiteral("bf16"), 170 * kMiB);
    s.report[u"floor_bytes"] = 90 * kMiB;
    const Figures host = figuresOf(s);
    QCOMPARE(host.peak[Load], 10 * kMiB);
    QCOMPARE(host.peak[Encode], 0.0);                             // below the floor: it took nothing
    QCOMPARE(host.highestPeak(), 80 * kMiB);
    s.report[u"device_peak_bytes"] = QJsonObject{{"load", 5 * kMiB}};
    QCOMPARE(figuresOf(s).highestPeak(), 5 * kMiB);               // an accelerator's memory has no such floor
  }

  void aStackedMemoryBarEndsAtTheTruePeak() {
    MemoryChart chart;
    chart.setFigures({figuresOf(sample(QStringLiteral("bf16"), 170 * kMiB))});
    QCOMPARE(highestBar(chart.plot()), 170.0);
    QCOMPARE(chart.plot()->plottableCount(), 3);                  // encode raised nothing
    chart.setFigures({figuresOf(sample(QStringLiteral("bf16"), 20 * kMiB))});
    QCOMPARE(highestBar(chart.plot()), 150.0);
  }

  void theLatencyBarHoldsEveryPhaseAndStep() {
    LatencyChart chart;
    chart.setFigures({figuresOf(sample(QStringLiteral("bf16"), 0))});
    QCOMPARE(chart.plot()->plottableCount(), 2 + 3 + 1);
    QCOMPARE(highestBar(chart.plot()), 3.5);
  }

  void whatAListDoesNotTellIsNoZero() {
    study::Sample untold;
    untold.precision = QStringLiteral("mine");
    untold.report = {{"imported", true}};
    untold.scores.clip = 31;
    study::Sample timed = untold;
    timed.report[u"seconds"] = QJsonObject{{"total", 1.5}};
    MemoryChart memory;
    memory.setFigures({figuresOf(untold), figuresOf(timed)});
    QVERIFY(memory.plot()->itemCount() == 0 && !memory.plot()->xAxis->visible());
    memory.setFigures({figuresOf(untold), figuresOf(sample(QStringLiteral("bf16"), 170 * kMiB))});
    QVERIFY(memory.plot()->xAxis->visible());
    QCOMPARE(static_cast<QCPItemText*>(memory.plot()->item(0))->text(), QStringLiteral("–"));
    LatencyChart latency;
    latency.setFigures({figuresOf(untold), figuresOf(timed)});
    QCOMPARE(static_cast<QCPItemText*>(latency.plot()->item(0))->text(), QStringLiteral("–"));
    QCOMPARE(highestBar(latency.plot()), 1.5);                    // the one bar
    latency.setFigures({figuresOf(untold)});
    QVERIFY(latency.plot()->itemCount() == 0 && !latency.plot()->xAxis->visible());
    QualityChart quality;
    quality.setFigures({figuresOf(untold), figuresOf(timed)});
    QCOMPARE(quality.plot()->graphCount(), 0);
    for (const auto& [shown, said] : {std::pair(untold, false), std::pair(timed, true)}) {
      const ResultRow row(u'A', {.figures = figuresOf(shown), .truth = {}, .said = {}});
      QString text;
      for (const QLabel* label : row.findChildren<QLabel*>()) text += label->text();
      QVERIFY2(!text.contains("peak") && text.contains("1.50") == said && !text.contains("0.00"), qPrintable(text));
    }
  }

  void theParetoFrontKeepsWhatNothingBeats() {
    const auto front = paretoFront({{300, 30, 0}, {200, 28, 1}, {250, 27, 2}, {350, 30, 3}, {200, 25, 4}});
    QCOMPARE(front.size(), 2u);
    QCOMPARE(front[0].variant, 1);
    QCOMPARE(front[1].variant, 0);
  }

  void unmeasuredQualityGivesNoPoint() {
    QualityChart chart;
    Figures measured = figuresOf(sample(QStringLiteral("bf16"), 0)), unmeasured = measured;
    measured.scores.clip = 0.31, measured.scores.clip_label = QStringLiteral("CLIP-tiny");
    chart.setFigures({measured, unmeasured});
    QCOMPARE(chart.plot()->graphCount(), 2);                      // the front and one point
    QCOMPARE(chart.choice()->currentText(), QStringLiteral("CLIP-tiny"));
    chart.setMeasure(QualityChart::Measure::Psnr);
    QCOMPARE(chart.plot()->graphCount(), 0);
  }

  void theMatrixHoldsWhatOccurred() {
    EyesChart eyes;
    eyes.resize(300, 200);
    const QImage names = eyes.grab().toImage();
    eyes.setRatings({{"bf16", {4.2, 5, {{3.2, 5}}}, {}}, {"bnb-nf4", {3, 4, {}}, study::GradeMean{-1.5, 4, {{-3, 0.1}}}}});
    QVERIFY(eyes.grab().toImage() != names);
    eyes.setRatings({});
    QCOMPARE(eyes.grab().toImage(), names);
    eyes.setConfusion({QStringLiteral("fp32"), QStringLiteral("bf16"), QStringLiteral("bnb-nf4")},
                      {{QStringLiteral("bf16"), QStringLiteral("bnb-nf4"), 3}, {QStringLiteral("bf16"), QStringLiteral("bf16"), 1}});
    QCOMPARE(eyes.count(QStringLiteral("bf16"), QStringLiteral("bnb-nf4")), 3);
    QCOMPARE(eyes.order(), (QStringList{QStringLiteral("bf16"), QStringLiteral("bnb-nf4")}));
    eyes.setHitRate({.trials = 2, .hits = 1, .tiles = 2, .rate = 0.5, .chance = 0.5, .low = 0.01, .high = 0.99});
    const QString rate = eyes.tipAt({100, 40}), cell = eyes.tipAt({280, 110});
    QVERIFY2(rate.startsWith(QStringLiteral("1/2, 50")) && rate.contains(QStringLiteral("Clopper and Pearson")), qPrintable(rate));
    QVERIFY2(cell.contains(QStringLiteral("was taken for bnb-nf4")), qPrintable(cell));
  }

  void coloursFollowTheFamily() {
    const auto same = [](const char* a, const char* b) { return precisionColor(QLatin1String(a)) == precisionColor(QLatin1String(b)); };
    QVERIFY(same("bf16", "fp32") && same("fp8-layerwise", "torchao-fp8wo") && same("bnb-int8", "quanto-int8"));
    QVERIFY(same("bnb-nf4", "bnb-fp4") && same("bnb-nf4", "torchao-int4wo") && same("gguf-q8_0", "gguf-q4_0"));
    QVERIFY(same("bnb-nf4", "bnb-nf4?skip=proj_out") && !same("bf16", "bnb-nf4") && !same("gguf-q4_0", "bnb-nf4"));
  }

  void sizesAreReadAndChecked_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QSize>("size");
    QTest::newRow("times") << "192×128" << QSize(192, 128);
    QTest::newRow("x") << "256x256" << QSize(256, 256);
    QTest::newRow("spaces") << " 64 x 32 " << QSize(64, 32);
    QTest::newRow("none") << "large" << QSize();
    QTest::newRow("half") << "128×" << QSize();
  }
  void sizesAreReadAndChecked() {
    QFETCH(QString, text);
    QFETCH(QSize, size);
    QCOMPARE(parseSize(text).value_or(QSize()), size);
  }

  void theRecipeSaysWhatCannotRun() {
    RecipeBar bar;
    QVERIFY(bar.problem().isEmpty());
    protocol::Recipe recipe = bar.recipe();
    QCOMPARE(recipe.prompt, std::string("a fox on a yellow background"));
    QVERIFY(!recipe.guidance);
    recipe.width = 120;
    bar.setRecipe(recipe);
    QVERIFY2(bar.problem().contains(QStringLiteral("112 or 128")), qPrintable(bar.problem()));
    recipe.width = 128, recipe.prompt.clear();
    bar.setRecipe(recipe);
    QVERIFY(!bar.problem().isEmpty());
    recipe.steps = 12;
    bar.setRecipe(recipe);
    recipe.steps = 0;                     // of a picture made elsewhere
    bar.setRecipe(recipe);
    QCOMPARE(bar.recipe().steps, 12);
  }
};

QTEST_MAIN(ChartsTest)
#include "charts_test.moc"
