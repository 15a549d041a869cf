// Documents: words of every script, tables over pages, pictures, and the same bytes each time.
#include "paper/flow.h"
#include "tests/paper/pdf_words.h"

#include <QRegularExpression>
#include <QTest>

using namespace quantspot::paper;

namespace {

QByteArray bytesOf(Flow& flow) { return QByteArray::fromStdString(flow.bytes()); }

QByteArray page(const char* text) {
  Flow flow("A title");
  flow.paragraph(text);
  return bytesOf(flow);
}

struct Word {
  int page;
  double left, top, right, bottom;
  QString text;
};

// With places, in points.
QList<Word> placedWords(const QByteArray& pdf) {
  static const QRegularExpression pattern(QStringLiteral(
      "<page |<word xMin=\"([-0-9.]+)\" yMin=\"([-0-9.]+)\" xMax=\"([-0-9.]+)\" yMax=\"([-0-9.]+)\">([^<]*)<"));
  QList<Word> words;
  int page = 0;
  auto found = pattern.globalMatch(QString::fromUtf8(test::poppler("pdftotext", pdf, {"-q", "-bbox"}, {"-"})));
  while (found.hasNext()) {
    const auto m = found.next();
    if (m.captured(1).isEmpty()) ++page;
    else words.push_back({page, m.captured(1).toDouble(), m.captured(2).toDouble(), m.captured(3).toDouble(), m.captured(4).toDouble(),
                          m.captured(5)});
  }
  return words;
}

}  // namespace

class PaperTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyScriptCanBeRead_data() {
    QTest::addColumn<QString>("text");
    QTest::newRow("Latin") << "Żółw naïve Æther d′ 5–7 %";
    QTest::newRow("Greek") << "Η γρήγορη αλεπού";
    QTest::newRow("Cyrillic") << "Быстрая лиса прыгает";
    QTest::newRow("Chinese") << "一只敏捷的狐狸";
    QTest::newRow("Japanese") << "すばやい狐";
  }
  void everyScriptCanBeRead() {
    QFETCH(QString, text);
    Typesetter here;
    here.layout(text.toStdString(), {});
    if (!here.missing().empty()) QSKIP("no font here has these letters");
    const QByteArray pdf = page(text.toUtf8());
    QVERIFY2(test::wordsOf(pdf).contains(text), qPrintable(test::wordsOf(pdf)));
    const QByteArray fonts = test::poppler("pdffonts", pdf, {});
    for (const QByteArray& line : fonts.trimmed().split('\n').mid(2))   // columns emb, sub, uni: embedded, cut down, with its letters' codes
      QVERIFY2(QString::fromUtf8(line).contains(QRegularExpression("yes yes yes")), line.constData());
  }

  // The first word stands at the right. (Which gaps between joined letters poppler takes for spaces depends on the font.)
  void arabicRunsFromTheRight() {
    const QString text = QStringLiteral("ثعلب سريع");
    const QByteArray pdf = page(text.toUtf8());
    QString read = test::wordsOf(pdf);
    read.remove(QRegularExpression("[\\x{202A}-\\x{202E}\\x{2066}-\\x{2069} ]"));   // marks of direction
    QVERIFY2(read.contains(QString(text).remove(u' ')), qPrintable(read));
    double first = 0, second = 0;
    for (const Word& word : placedWords(pdf)) {
      if (word.text.contains(u'ث')) first = word.right;
      if (word.text.contains(u'ر')) second = word.right;
    }
    QVERIFY2(first > 540 && second > 400 && second < first - 5, qPrintable(QStringLiteral("%1 %2").arg(first).arg(second)));   // the margin is at 545
  }

  void lettersWithoutAFontAreCodePoints() {
    const QString read = test::wordsOf(page("a \xF4\x80\x80\x81 b \xF4\x80\x80\x81 c"));   // U+100001: for private use
    QVERIFY2(read.contains("a [U+100001] b [U+100001] c"), qPrintable(read));
    QCOMPARE(read.count("No font on this computer has"), 1);
    QVERIFY(!test::wordsOf(page("plain")).contains("No font"));
    QVERIFY(!test::wordsOf(page("broken \xC3 UTF-8 \xFF")).isEmpty());
  }

  void theSameWordsGiveTheSameBytes() {
    const auto make = [] {
      Flow flow("Τίτλος");
      flow.heading("One", 14);
      flow.paragraph("Быстрая лиса, 5–7 %");
      flow.table({{"a", "b"}, {"1", "2"}});
      const std::string set = flow.document().typesetter().setWith();
      return std::pair(bytesOf(flow), set);
    };
    const auto once = make(), again = make();
    QCOMPARE(once.first, again.first);
    QCOMPARE(once.second, again.second);
    QVERIFY2(once.second.starts_with("cairo ") && once.second.find("; ") != std::string::npos, once.second.c_str());
    QVERIFY(once.first != page("other") && once.first.contains("/Keywords (" + QByteArray::fromStdString(once.second) + ")\n"));
    const QByteArray info = test::poppler("pdfinfo", once.first, {"-isodates"});
    QVERIFY2(info.contains("CreationDate:    2000-01-01T00:00:00Z") && info.contains("Τίτλος"), info.constData());
  }

  void wordsStayOnThePage() {
    Flow flow("Long");
    for (int i = 0; i < 60; ++i)
      flow.paragraph("`gguf-q4_k?skip=" + std::string(200, 'w') + "` is noticeable, which is said at some length so that lines break",
                     {.size = 12, .bold = false, .color = {}});
    std::vector<std::vector<std::string>> rows{{"name", "a rather long header of a column", "value"}};
    for (int i = 0; i < 150; ++i) rows.push_back({"row" + std::to_string(i), std::string(120, 'x') + " and words " + std::string(60, 'y'), "1.5"});
    flow.table(rows);
    const QList<Word> words = placedWords(bytesOf(flow));
    QVERIFY(words.size() > 700 && words.last().page > 6);
    int seen = 0;
    for (const Word& w : words) {
      QVERIFY2(w.left >= 49 && w.right <= 547 && w.top >= 40 && w.bottom <= 842 - 15,
               qPrintable(QStringLiteral("%1 at %2, %3 to %4").arg(w.text).arg(w.left).arg(w.top).arg(w.right)));
      if (w.text.startsWith("row")) QCOMPARE(w.text, "row" + QString::number(seen++));
    }
    QCOMPARE(seen, 150);
  }

  void aTablesHeaderStandsOnEveryPage() {
    Flow flow("Table");
    std::vector<std::vector<std::string>> rows{{"precision", "figure"}};
    for (int i = 0; i < 200; ++i) rows.push_back({"p", std::to_string(i)});
    flow.table(rows);
    const QList<Word> words = placedWords(bytesOf(flow));
    QSet<int> with;
    for (const Word& w : words)
      if (w.text == "precision") with << w.page;
    QCOMPARE(with.size(), words.last().page);
    QVERIFY(with.size() >= 3);
  }

  void headingsStayWithWhatIsBelow() {
    Flow flow("Headings");
    for (int i = 0; i < 25; ++i) {
      flow.heading("Heading", 12, 200);
      flow.take(200);
    }
    const QList<Word> words = placedWords(bytesOf(flow));
    int headings = 0;
    for (const Word& w : words) {
      if (w.text != "Heading") continue;
      ++headings;
      QVERIFY2(w.bottom + 200 <= 842 - 40, qPrintable(QString::number(w.bottom)));
    }
    QCOMPARE(headings, 25);
  }

  void picturesLinksAndBookmarks() {
    Flow flow("Pictures");
    flow.heading("First part", 14);
    const QByteArray png = QByteArray::fromBase64("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(png.constData()), static_cast<std::size_t>(png.size()));
    const Box box = flow.take(100);
    QVERIFY(flow.document().picture(bytes, {box.x, box.y, 90, 90}));
    QVERIFY(!flow.document().picture(bytes.first(20), {box.x, box.y, 90, 90}));
    flow.document().link({box.x, box.y, 90, 90}, "images/it's.png");
    flow.paragraph("after a picture that is none");
    const QByteArray pdf = bytesOf(flow);
    QVERIFY(test::wordsOf(pdf).contains("after a picture"));
    static const QRegularExpression row(QStringLiteral("^ +\\d+ +\\d+ image "), QRegularExpression::MultilineOption);
    QCOMPARE(QString::fromUtf8(test::poppler("pdfimages", pdf, {"-list"})).count(row), 1);
    QVERIFY2(pdf.contains("/URI (images/it's.png)"), "no link");
    QVERIFY(pdf.contains("/Outlines") && pdf.contains("(First part)"));
  }
};

QTEST_GUILESS_MAIN(PaperTest)
#include "paper_test.moc"
