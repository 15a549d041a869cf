// Threshold and just noticeable difference in the chart of bits per weight, with what is open.
#include "tests/ui/views/leaks.h"
#include "ui/views/plot.h"
#include "ui/views/psychometric_chart.h"

#include <QJsonObject>
#include <QTest>

#include <cmath>

using namespace quantspot::views;

namespace {

bool isArrow(const QCPLineEnding& end) { return end.style() == QCPLineEnding::esSpikeArrow; }

}  // namespace

class PsychometricChartTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void thresholdAndDifferenceLieInTheChart() {
    const auto estimate = [](double value, double low, double high) { return QJsonObject{{"value", value}, {"interval", QJsonArray{low, high}}}; };
    QJsonArray points;
    for (double bits : {2.0, 8.0})
      points << QJsonObject{{"variant", "bnb-nf4"}, {"bits", bits}, {"rate", 0.5}, {"interval", QJsonArray{0.4, 0.6}}, {"trials", 9}};
    const QJsonObject curve{{"kind", "spot"}, {"guess", 0.2}, {"points", points}, {"slope", estimate(-1, -1.5, -0.5)},
                            {"threshold_bits", estimate(5, 4.5, 6)}, {"jnd_bits", 1.1}, {"jnd_interval", QJsonArray{0.7, 2.2}}};
    PsychometricChart chart(QStringLiteral("Bits"));
    chart.setCurves({curve});
    chart.show();
    QStringList words;
    std::vector<QRectF> level;   // x, y, length
    const auto* plot = chart.findChild<QCustomPlot*>();
    for (int i = 0; i < plot->itemCount(); ++i) {
      if (const auto* text = qobject_cast<const QCPItemText*>(plot->item(i))) words << text->text();
      if (const auto* line = qobject_cast<const QCPItemLine*>(plot->item(i)); line && line->pen().widthF() > 2)
        level.push_back({line->start->key(), line->start->value(), line->end->key() - line->start->key(), line->end->value() - line->start->value()});
    }
    QVERIFY2(words.contains("half-way") && words.contains("just noticeable"), qPrintable(words.join('|')));
    QCOMPARE(level.size(), std::size_t{2});
    const auto is = [](double a, double b) { return std::abs(a - b) < 1e-9; };
    QVERIFY(is(level[0].x(), 4.5) && is(level[0].width(), 1.5) && is(level[0].y(), 60) && is(level[0].height(), 0));
    QVERIFY(is(level[1].x(), 2.8) && is(level[1].width(), 1.5) && is(level[1].y(), 80) && is(level[1].height(), 0));
    const QStringList said = saidBy(&chart);
    QVERIFY2(said.join('\n').contains("1.10 bits (0.70 to 2.20)"), qPrintable(said.join('\n')));
  }

  // Points that lie where the range ends: their names stand beside, not over its name.
  void namesDoNotLieOverEachOther() {
    const auto estimate = [](double value, double low, double high) { return QJsonObject{{"value", value}, {"interval", QJsonArray{low, high}}}; };
    QJsonArray points;
    for (const auto& [bits, rate] : {std::pair{6.0, 0.6}, {6.2, 0.6}, {4.0, 0.8}, {4.0, 0.82}})
      points << QJsonObject{{"variant", "bnb-nf4"}, {"bits", bits}, {"rate", rate}, {"interval", QJsonArray{rate - 0.1, rate + 0.1}}, {"trials", 9}};
    PsychometricChart chart(QStringLiteral("Bits"));
    chart.resize(700, 320);
    chart.setCurves({QJsonObject{{"kind", "spot"}, {"guess", 0.2}, {"points", points}, {"slope", estimate(-1, -1.5, -0.5)},
                                 {"threshold_bits", estimate(5, 4.5, 6)}, {"jnd_bits", 1.1}, {"jnd_interval", QJsonArray{0.7, 1.3}}}});
    chart.show();
    auto* plot = chart.findChild<QCustomPlot*>();
    plot->replot();
    std::vector<QRectF> names;
    for (int i = 0; i < plot->itemCount(); ++i)
      if (const auto* text = qobject_cast<const QCPItemText*>(plot->item(i)))
        names.push_back(QRectF(text->topLeft->pixelPosition(), text->bottomRight->pixelPosition()));
    QCOMPARE(names.size(), std::size_t{6});
    for (std::size_t i = 0; i < names.size(); ++i) {
      QVERIFY(QRectF(plot->axisRect()->rect()).contains(names[i]));
      for (std::size_t j = 0; j < i; ++j) QVERIFY2(!names[i].intersects(names[j]), qPrintable(QStringLiteral("%1 and %2").arg(j).arg(i)));
    }
  }

  // An open end is an arrow at the edge of the chart, and what it means stands beside it and in the note.
  void openEndsOfACurveAreArrowsWithWords() {
    QJsonArray points;
    for (double bits : {2.0, 8.0})
      points << QJsonObject{{"variant", "bnb-nf4"}, {"bits", bits}, {"rate", 0.5}, {"interval", QJsonArray{0.4, 0.6}}, {"trials", 9}};
    const QJsonObject unsure{{"kind", "spot"}, {"guess", 0.2}, {"points", points},
        {"slope", QJsonObject{{"value", -1}, {"interval", QJsonArray{-1.5, 0.2}}}},
        {"threshold_bits", QJsonObject{{"value", 5}, {"interval", QJsonArray{QJsonValue(), QJsonValue()}}}}, {"jnd_bits", 1.1},
        {"jnd_interval", QJsonArray{0.7, QJsonValue()}}};
    const QJsonObject step{{"kind", "spot"}, {"guess", 0.2}, {"points", points}, {"separated", true},
        {"slope", QJsonObject{{"value", QJsonValue()}, {"interval", QJsonArray{QJsonValue(), -2.5}}}},
        {"threshold_bits", QJsonObject{{"value", QJsonValue()}, {"interval", QJsonArray{4, 6}}}}, {"jnd_bits", QJsonValue()},
        {"jnd_interval", QJsonArray{0, 0.44}}};
    PsychometricChart chart(QStringLiteral("Bits"));
    const auto* plot = chart.findChild<QCustomPlot*>();
    const auto look = [&](const QJsonObject& curve, QStringList& words) {
      chart.setCurves({curve});
      chart.show();
      QStringList arrows;
      for (int i = 0; i < plot->itemCount(); ++i) {
        if (const auto* text = qobject_cast<const QCPItemText*>(plot->item(i))) words << text->text();
        if (const auto* line = qobject_cast<const QCPItemLine*>(plot->item(i)); line && line->pen().widthF() > 2)
          arrows << QString(isArrow(line->tail()) ? "<" : "|") + (isArrow(line->head()) ? ">" : "|");
      }
      return arrows;
    };
    QStringList words, step_words;
    QCOMPARE(look(unsure, words), (QStringList{"<>", "<|"}));   // more is seen at fewer bits: there the difference has no end
    QVERIFY2(words.contains("half-way: open") && words.contains("just noticeable: at least 0.70"), qPrintable(words.join('|')));
    QVERIFY2(saidBy(&chart).join('\n').contains("1.10 bits (at least 0.70)"), qPrintable(saidBy(&chart).join('\n')));
    QCOMPARE(look(step, step_words), QStringList{"||"});
    QVERIFY2(step_words.contains("half-way") && !step_words.join('|').contains("just noticeable"), qPrintable(step_words.join('|')));
    const QString note = saidBy(&chart).join('\n');
    QVERIFY2(note.contains("a step; half-way 4.00 to 6.00 bits, just noticeable difference at most 0.44 bits, slope -2.50 or steeper per bit"),
             qPrintable(note));
  }
};

QTEST_MAIN(PsychometricChartTest)
#include "psychometric_chart_test.moc"
