// The report that readers get: the decision first, charts inside, and the same bytes wherever it is made.
#include "study/analysis.h"
#include "study/pdf_file.h"
#include "study/revealed.h"
#include "tests/study/sample_study.h"

#include <QRegularExpression>
#include <QTest>
#include <QXmlStreamReader>

using namespace quantspot::study;

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

// What the text operators show, in order.
QStringList shownBy(const QByteArray& pdf) {
  static const QRegularExpression operation(QStringLiteral("\\(((?:[^()\\\\]|\\\\.)*)\\) Tj"));
  QStringList found;
  auto matches = operation.globalMatch(QString::fromLatin1(pdf));
  while (matches.hasNext()) found << matches.next().captured(1).remove(u'\\');
  return found;
}

}  // namespace

class ReportTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void theFirstLineIsTheDecision() {
    const QString decision = usual()["decisions"][0].toString();
    const QByteArray html = reportHtml(usual());
    QVERIFY2(html.mid(html.indexOf("<body>") + 7).startsWith("<p class=\"d\">" + decision.toHtmlEscaped().toUtf8()), html.left(900).constData());
    const QByteArray pdf = reportPdf(usual());
    QVERIFY(toWinAnsi(decision).startsWith(shownBy(pdf).value(0).toLatin1()) && shownBy(pdf).value(0).size() > 40);
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

  // Readers find every object by the table at the end.
  void thePdfIsSound() {
    const QByteArray pdf = reportPdf(usual());
    QVERIFY(pdf.startsWith("%PDF-1.4\n") && pdf.endsWith("%%EOF\n"));
    const qsizetype start = pdf.mid(pdf.lastIndexOf("startxref\n") + 10).split('\n')[0].toLongLong();
    const QList<QByteArray> table = pdf.mid(start).split('\n');
    QCOMPARE(table[0], QByteArray("xref"));
    const int count = table[1].split(' ')[1].toInt();
    QVERIFY(count > 8);
    for (int i = 1; i < count; ++i) {
      QCOMPARE(table[2 + i].size(), 19);   // 20 with its line feed, as the format demands
      const qsizetype at = table[2 + i].left(10).toLongLong();
      QVERIFY(pdf.mid(at).startsWith(QByteArray::number(i) + " 0 obj\n"));
    }
    static const QRegularExpression stream(QStringLiteral("/Length (\\d+) >>\nstream\n"));
    auto streams = stream.globalMatch(QString::fromLatin1(pdf));
    int pages = 0;
    for (; streams.hasNext(); ++pages) {
      const auto match = streams.next();
      QVERIFY(pdf.mid(match.capturedEnd() + match.captured(1).toLongLong()).startsWith("endstream"));
    }
    QVERIFY(pdf.contains("/Count " + QByteArray::number(pages)));
    QVERIFY(pages >= 2);
  }

  void theSameFiguresGiveTheSameBytes() {
    QCOMPARE(reportPdf(usual()), reportPdf(usual()));
    QCOMPARE(reportHtml(usual()), reportHtml(usual()));
    QJsonObject other = usual();
    other["decisions"] = QJsonArray{"`x` is noticeable."};
    QVERIFY(reportPdf(other) != reportPdf(usual()));
  }

  void wordsStayOnThePage() {
    QJsonObject analysis = usual();
    QJsonArray decisions;
    for (int i = 0; i < 80; ++i) decisions << QString(QStringLiteral("`gguf-q4_k?skip=") + QString(200, u'w') + QStringLiteral("` is noticeable (x) ")).repeated(1 + i % 3);
    analysis["decisions"] = decisions;
    const QByteArray pdf = reportPdf(analysis);
    static const QRegularExpression placed(QStringLiteral("/(F[12]) ([0-9.]+) Tf ([0-9.-]+) ([0-9.-]+) Td \\(((?:[^()\\\\]|\\\\.)*)\\)"));
    auto matches = placed.globalMatch(QString::fromLatin1(pdf));
    int lines = 0;
    for (; matches.hasNext(); ++lines) {
      const auto m = matches.next();
      const double size = m.captured(2).toDouble(), x = m.captured(3).toDouble(), y = m.captured(4).toDouble();
      const double end = x + helveticaWidth(m.captured(5).remove(u'\\').toLatin1(), m.captured(1) == "F2") * size;
      QVERIFY2(x >= 0 && end <= 595 - 30 && y >= 40 && y <= 842 - 40, qPrintable(m.captured(0)));
    }
    QVERIFY(lines > 300);
  }

  void lettersThatTheFontLacksAreMarked() {
    QCOMPARE(toWinAnsi(QStringLiteral("d′ 5–7 % ü “x” ∞ α")), QByteArray("d' 5\x96" "7 % \xFC \x93x\x94 inf alpha"));
    QCOMPARE(toWinAnsi(QStringLiteral("狐 🦊")), QByteArray("? ?"));
    QCOMPARE(helveticaWidth("Will", false), (944 + 222 * 3) / 1000.0);
    QVERIFY(reportHtml({{"title", "狐"}, {"decisions", QJsonArray()}}).contains("狐"));
  }

  void anEmptyStudyHasAReport() {
    const QJsonObject empty = analysisOf(sample::protocol(), 0, 0);
    QVERIFY(shownBy(reportPdf(empty)).value(0).contains("was not tested"));
    QVERIFY(reportHtml(empty).contains("0 people, 0 answers."));
  }
};

QTEST_GUILESS_MAIN(ReportTest)
#include "report_test.moc"
