#include "engine/protocol/framing.h"

#include <QTest>

using quantspot::protocol::frame;
using quantspot::protocol::FrameReader;
using quantspot::protocol::FramingError;

class FramingTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aMessageComesBackFromItsFrame() {
    FrameReader reader;
    reader.feed(frame("{\"a\":1}"));
    QCOMPARE(reader.next(), std::optional<std::string>("{\"a\":1}"));
    QCOMPARE(reader.next(), std::nullopt);
    QVERIFY(!reader.insideMessage());
  }

  void bytesMayComeOneByOne() {
    FrameReader reader;
    std::vector<std::string> got;
    for (const char byte : frame("first") + frame("") + frame("third\r\n\r\n")) {
      reader.feed({&byte, 1});
      while (const auto message = reader.next()) got.push_back(*message);
    }
    QCOMPARE(got, (std::vector<std::string>{"first", "", "third\r\n\r\n"}));
  }

  void otherHeadersAndSpellingsAreAccepted() {
    FrameReader reader;
    reader.feed("content-LENGTH:   4 \r\nContent-Type: application/json\r\n\r\nbody");
    QCOMPARE(reader.next(), std::optional<std::string>("body"));
  }

  void garbageBetweenMessagesIsSkippedAndKept() {
    FrameReader reader;
    reader.feed("a library prints here\n" + frame("x") + "\nand here\n" + frame("y"));
    QCOMPARE(reader.next(), std::optional<std::string>("x"));
    QCOMPARE(reader.next(), std::optional<std::string>("y"));
    QCOMPARE(reader.takeGarbage(), std::string("a library prints here\n\nand here\n"));
  }

  void garbageDoesNotPileUp() {
    FrameReader reader;
    for (int i = 0; i < 1000; ++i) {
      reader.feed(std::string(1000, '#'));
      QCOMPARE(reader.next(), std::nullopt);
      reader.takeGarbage();
    }
    reader.feed(frame("still here"));
    QCOMPARE(reader.next(), std::optional<std::string>("still here"));
  }

  void aWrongLengthIsAnErrorAndReadingGoesOn_data() {
    QTest::addColumn<QString>("header");
    QTest::newRow("no number") << "Content-Length: many\r\n\r\n";
    QTest::newRow("negative") << "Content-Length: -5\r\n\r\n";
    QTest::newRow("nothing") << "Content-Length:\r\n\r\n";
    QTest::newRow("over the limit") << "Content-Length: 101\r\n\r\n";
    QTest::newRow("over 64 bits") << "Content-Length: 99999999999999999999999\r\n\r\n";
    QTest::newRow("a header without an end") << "Content-Length: 5" + QString(5000, 'x');
  }
  void aWrongLengthIsAnErrorAndReadingGoesOn() {
    QFETCH(QString, header);
    FrameReader reader(100);
    reader.feed(header.toStdString());
    QVERIFY_EXCEPTION_THROWN(reader.next(), FramingError);
    reader.feed(frame("next"));
    QCOMPARE(reader.next(), std::optional<std::string>("next"));
  }

  void anEndInsideAMessageIsSeen() {
    FrameReader reader;
    reader.feed(frame("whole").substr(0, 22));
    QCOMPARE(reader.next(), std::nullopt);
    QVERIFY(reader.insideMessage());
  }
};

QTEST_APPLESS_MAIN(FramingTest)
#include "protocol_framing_test.moc"
