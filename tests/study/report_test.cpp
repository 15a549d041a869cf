// The report that readers get: the decision first, charts inside, and the same bytes wherever it is made.
#include "study/analysis.h"
#include "study/report.h"
#include "study/revealed.h"
#include "tests/paper/pdf_words.h"
#include "tests/study/sample_study.h"

#include <QTest>
#include <QXmlStreamReader>

using namespace quantspot::study;
namespace test = quantspot::paper::test;

namespace {

QJsonObject analysisOf(Protocol p, int people, double skill) {
  for (TrialKind kind : {TrialKind::SameDifferent, TrialKind::Rating, TrialKind::Ranking}) {
    Block block;
    block.kind = kind;
    block.trials = 12;
    p.blocks.push_back(block);
  }
  const FrozenStudy study = sample::frozen(p);
  Ledger ledger(":memory:");
  ledger.addStudy(study);
  sample::run(ledger, study, people, skill);
  ledger.close(study.hash());
  return reveal(study, ledger.chain(study.hash()), sample::kPassphrase).analysis;
}

const QJsonObject& usual() {
  static const QJsonObject analysis = analysisOf(sample::protocol(16), 5, 0.6);
  return analysis;
}

// Without spaces: a line may end inside "62–89 %", after the dash, where the study's own figures put it.
QString lettersOf(QString text) { return text.simplified().remove(QLatin1Char(' ')); }

}  // namespace

class ReportTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void theFirstLineIsTheDecision() {
    const QString decision = usual()["decisions"][0].toString();
    const QByteArray html = reportHtml(usual());
    QVERIFY2(html.mid(html.indexOf("<body>") + 7).startsWith("<p class=\"d\">" + decision.toHtmlEscaped().toUtf8()), html.left(900).constData());
    const QString printed = test::wordsOf(reportPdf(usual()));
    QVERIFY2(lettersOf(printed).startsWith(lettersOf(decision)), qPrintable(printed.left(400)));
    QCOMPARE(reportBlocks(usual())[0].text, decision);
  }

  void everyChartIsThereWithItsMethod() {
    std::vector<ReportBlock> blocks = reportBlocks(usual());
    int charts = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i].kind != ReportBlock::Chart) continue;
      ++charts;
      QCOMPARE(blocks[i - 1].kind, ReportBlock::Heading);
      QVERIFY(blocks[i + 1].kind == ReportBlock::Note && blocks[i + 1].text.contains("Checked against"));
      QVERIFY(blocks[i].drawing.marks.size() > 4);
      for (const Mark& mark : blocks[i].drawing.marks) QVERIFY(std::isfinite(mark.x) && std::isfinite(mark.y) && std::isfinite(mark.x2) && std::isfinite(mark.y2));
    }
    QVERIFY2(charts >= 8, qPrintable(QString::number(charts)));   // detection, d′, preference, two curves, opinions, rankings, visibility, times
    QCOMPARE(reportHtml(usual()).count("<svg "), charts);
  }

  // The threshold's interval lies level half-way between guessing and always right, the just noticeable difference's at three quarters.
  void theCurveShowsItsThreshold() {
    const auto estimate = [](double value, double low, double high) { return QJsonObject{{"value", value}, {"interval", QJsonArray{low, high}}}; };
    QJsonArray points;
    for (double bits : {2.0, 8.0}) points << QJsonObject{{"variant", "v"}, {"bits", bits}, {"rate", 0.5}, {"interval", QJsonArray{0.4, 0.6}}};
    QJsonObject curve{{"kind", "spot"}, {"guess", 0.2}, {"points", points}, {"slope", estimate(-1, -1.5, -0.5)},
                      {"threshold_bits", estimate(5, 4.5, 6)}, {"jnd_bits", 1.1}, {"jnd_interval", QJsonArray{0.7, 2.2}}};
    const auto marks = [&] { return reportCharts({{"psychometric", QJsonArray{curve}}}, 0.1, "bf16").at(0).drawing.marks; };
    const auto ranges = [&] {
      std::vector<Mark> found;
      for (const Mark& mark : marks())
        if (mark.shape == Mark::Stroke && mark.width == 2.4) found.push_back(mark);
      return found;
    };
    const std::vector<Mark> both = ranges();
    QCOMPARE(both.size(), std::size_t{2});
    const double point = (both[0].x2 - both[0].x) / 1.5;                          // points per bit: the threshold's is 1.5 bits long
    QVERIFY(point > 10 && both[0].y == both[0].y2 && both[1].y == both[1].y2);
    QVERIFY(std::abs(std::abs(both[1].x2 - both[1].x) / point - 1.5) < 1e-6);     // 2.2 − 0.7
    QVERIFY(std::abs((both[0].x - std::max(both[1].x, both[1].x2)) / point - (4.5 - 4.3)) < 1e-6);   // where more is seen: at fewer bits
    QVERIFY(both[1].y < both[0].y);
    const auto arrows = [&] {                                                     // two strokes each
      std::vector<Mark> found;
      for (const Mark& mark : marks())
        if (mark.shape == Mark::Stroke && mark.width == 1.6) found.push_back(mark);
      return found;
    };
    const auto words = [&] {
      QString all;
      for (const Mark& mark : marks()) all += mark.text + u'|';
      return all;
    };
    QVERIFY(arrows().empty() && words().contains("|half-way|"));
    curve["jnd_interval"] = QJsonArray{0.7, QJsonValue()};                        // no upper end: an arrow at the chart's edge
    QVERIFY(std::min(ranges()[1].x, ranges()[1].x2) < std::min(both[1].x, both[1].x2));
    QCOMPARE(arrows().size(), std::size_t{2});
    QVERIFY(arrows()[0].x == std::min(ranges()[1].x, ranges()[1].x2) && arrows()[0].x2 > arrows()[0].x);
    QVERIFY2(words().contains("|just noticeable: at least 0.70|"), qPrintable(words()));
    curve["threshold_bits"] = QJsonObject{{"value", QJsonValue()}, {"interval", QJsonArray{4, 6}}};   // a step: the threshold's range alone
    QCOMPARE(ranges().size(), std::size_t{1});
    QVERIFY(arrows().empty() && ranges()[0].y == both[0].y);
    curve["threshold_bits"] = QJsonObject{{"value", QJsonValue()}, {"interval", QJsonArray{QJsonValue(), QJsonValue()}}};   // flat: neither
    QVERIFY(ranges().empty());
    curve.remove("threshold_bits");
    QVERIFY(ranges().empty());
  }

  void svgIsWellFormedWhateverNamesThereAre() {
    Drawing drawing{.width = 10, .height = 10, .marks = {}};
    drawing.word(1, 2, QStringLiteral("a<b & \"c\""));
    drawing.stroke(0, 0, 5, 5, Ink::Line, 1, true);
    drawing.dot(3, 3, 1, Ink::Accent, true);
    QXmlStreamReader reader(toSvg(drawing));
    QString words;
    while (!reader.atEnd())
      if (reader.readNext() == QXmlStreamReader::Characters) words += reader.text();
    QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
    QVERIFY(words.contains("a<b & \"c\""));
    QJsonObject odd = usual();
    odd["title"] = QStringLiteral("</title><script>alert(1)</script>");
    QVERIFY(!reportHtml(odd).contains("<script"));
  }

  void theSameFiguresGiveTheSameBytes() {
    QCOMPARE(reportPdf(usual()), reportPdf(usual()));
    QCOMPARE(reportHtml(usual()), reportHtml(usual()));
    QJsonObject other = usual();
    other["decisions"] = QJsonArray{"`x` is noticeable."};
    QVERIFY(reportPdf(other) != reportPdf(usual()));
  }

  // In any script: a variant, a title and a decision may hold what people write.
  void printsWhatPeopleWrite() {
    QJsonObject analysis = usual();
    const QString title = QStringLiteral("Λύκος και Лиса: d′ 5–7 % ü");
    analysis["title"] = title;
    const QByteArray pdf = reportPdf(analysis);
    QVERIFY2(test::wordsOf(pdf).contains(title), qPrintable(test::wordsOf(pdf).left(600)));
    QVERIFY(reportHtml({{"title", "狐"}, {"decisions", QJsonArray()}}).contains("狐"));
  }

  void anEmptyStudyHasAReport() {
    const QJsonObject empty = analysisOf(sample::protocol(), 0, 0);
    QVERIFY(test::wordsOf(reportPdf(empty)).section('.', 0, 0).contains("has no answers that count"));
    QVERIFY(reportHtml(empty).contains("0 people, 0 answers."));
  }
};

QTEST_GUILESS_MAIN(ReportTest)
#include "report_test.moc"
