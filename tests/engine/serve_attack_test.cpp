// What a client that means harm sends: it is refused or cut off, and the next request is answered.
#include "tests/engine/served.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QThread>

#include <memory>
#include <vector>

using namespace quantspot::test;

namespace {

const QByteArray kPost = "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

// A connection on which a test writes bytes of its own choice.
class Raw {
 public:
  explicit Raw(int port) {
    socket_.connectToHost("127.0.0.1", static_cast<quint16>(port));
    socket_.waitForConnected(5000);
  }

  bool write(const QByteArray& bytes) { return socket_.write(bytes) == bytes.size() && (socket_.bytesToWrite() == 0 || socket_.waitForBytesWritten(5000)); }
  // Everything until the server closes; "still open" when it has not after `ms`.
  QByteArray rest(int ms) {
    QElapsedTimer timer;
    timer.start();
    QByteArray all;
    while (timer.elapsed() < ms) {
      all += socket_.readAll();
      if (socket_.state() != QAbstractSocket::ConnectedState) return all + socket_.readAll();
      socket_.waitForReadyRead(100);
    }
    return "still open";
  }
  bool isOpen() {
    socket_.waitForReadyRead(1);
    return socket_.state() == QAbstractSocket::ConnectedState;
  }

 private:
  QTcpSocket socket_;
};

QByteArray withBody(const QByteArray& body) { return kPost + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body; }

}  // namespace

class ServeAttackTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Served> served_;

  qint64 memory() const {
    QFile statm(QStringLiteral("/proc/%1/statm").arg(served_->process().processId()));
    return statm.open(QIODevice::ReadOnly) ? statm.readAll().split(' ')[1].toLongLong() * 4096 : -1;
  }

 private Q_SLOTS:
  void initTestCase() {
    served_ = std::make_unique<Served>();
    QVERIFY(served_->isReady());
  }
  void cleanup() { QCOMPARE(served_->get("/health")->status, 200); }   // whatever was sent

  void oneAnswerToEach_data() {
    QTest::addColumn<QByteArray>("sent");
    QTest::addColumn<QByteArray>("status");
    const auto row = [](const char* name, const QByteArray& sent, const char* status) { QTest::newRow(name) << sent << QByteArray(status); };
    row("deep list", withBody("{\"prompt\":" + QByteArray(30000, '[') + QByteArray(30000, ']') + "}"), " 400 ");
    row("deep object", withBody(QByteArray("{\"a\":").repeated(9000) + "1" + QByteArray(9000, '}')), " 400 ");
    row("half a string", withBody("{\"prompt\":\"a"), " 400 ");
    row("invalid UTF-8", withBody("{\"prompt\":\"\xC3\x28\"}"), " 400 ");
    row("half a surrogate", withBody("{\"prompt\":\"\\ud800\"}"), " 400 ");
    row("NaN", withBody("{\"prompt\":\"x\",\"width\":NaN}"), " 400 ");
    row("a width as float", withBody("{\"prompt\":\"x\",\"width\":6.4e1}"), " 400 ");
    row("more than a number", withBody("{\"prompt\":\"x\",\"guidance_scale\":1e999}"), " 400 ");
    row("more than a float", withBody("{\"prompt\":\"x\",\"guidance_scale\":1e300}"), " 400 ");
    row("a seed too long", withBody("{\"prompt\":\"x\",\"seed\":99999999999999999999}"), " 400 ");
    row("null byte in a key", withBody("{\"prompt\":\"x\",\"\\u0000\":1}"), " 400 ");
    row("length too long", kPost + "Content-Length: 99999999999999999999\r\n\r\n", " 413 ");
    row("length below none", kPost + "Content-Length: -1\r\n\r\n{}", " 4");
    row("long path", "GET /" + QByteArray(9000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", " 414 ");
    row("no HTTP", "hello\r\n\r\n", " 400 ");
    row("long header", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + QByteArray(9000, 'x') + "\r\n\r\n", " 400 ");
    row("body for nothing", "POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", " 404 ");
    row("wrong method", "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", " 405 ");
    row("packed body", kPost + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", " 415 ");
    row("form", "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=a\r\nContent-Length: 5\r\n\r\n--a--", " 415 ");
    row("ranges", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-" + QByteArray(",0-").repeated(2000) + "\r\n\r\n", " 400 ");
    row("name like ours", "GET /health HTTP/1.1\r\nHost: 127.0.0.1.example.org\r\n\r\n", " 403 ");
    row("no name", "GET /health HTTP/1.1\r\n\r\n", " 403 ");
    row("name in brackets", "GET /health HTTP/1.1\r\nHost: [\r\n\r\n", " 403 ");
  }
  void oneAnswerToEach() {
    QFETCH(QByteArray, sent);
    QFETCH(QByteArray, status);
    Raw raw(served_->port());
    raw.write(sent);
    const QByteArray answer = raw.rest(20000);
    QVERIFY2(answer.startsWith("HTTP/1.1") && answer.left(14).contains(status), answer.left(300).constData());
    QVERIFY2(answer.contains("\"message\":"), answer.constData());
  }

  void aPromptMayHoldAnyLetter() {
    const auto reply = served_->post("/generate", R"({"prompt":"a\u0000b \uD83D\uDE00","seed":1,"steps":1})");
    QVERIFY2(reply && reply->status == 200, reply ? reply->body.c_str() : "no answer");
  }

  // 25 threads answer: as many clients that send a letter every second must not keep others away for longer than the 15 s that a request may take.
  void slowClientsAreCutOff() {
    QElapsedTimer timer;
    timer.start();
    std::vector<std::unique_ptr<Raw>> slow;
    for (int i = 0; i < 30; ++i) {
      slow.push_back(std::make_unique<Raw>(served_->port()));
      QVERIFY(slow.back()->write(i % 2 == 0 ? kPost + "Content-Length: 60000\r\n\r\n{" : "GET /health HTTP/1.1\r\nHost: loc"));
    }
    std::size_t open = 25;
    while (open > 0 && timer.elapsed() < 25000) {
      QThread::msleep(1000);
      open = 0;
      for (int i = 0; i < 25; ++i)
        if (slow[static_cast<std::size_t>(i)]->isOpen()) slow[static_cast<std::size_t>(i)]->write("x"), ++open;
    }
    QVERIFY2(open == 0, qPrintable(QString("%1 are still open after %2 s").arg(open).arg(timer.elapsed() / 1000)));
    slow.clear();
    QVERIFY(served_->isReady());
  }

  // Neither headers nor chunks without end fill the memory.
  void endlessRequestsAreCutOff_data() {
    QTest::addColumn<QByteArray>("start");
    QTest::addColumn<QByteArray>("more");
    QTest::newRow("headers") << QByteArray("GET /health HTTP/1.1\r\nHost: localhost\r\n") << QByteArray("X: " + QByteArray(4000, 'x') + "\r\n");
    QTest::newRow("chunks") << QByteArray(kPost + "Transfer-Encoding: chunked\r\n\r\n") << QByteArray("1000\r\n" + QByteArray(0x1000, ' ') + "\r\n");
  }
  void endlessRequestsAreCutOff() {
    QFETCH(QByteArray, start);
    QFETCH(QByteArray, more);
    const qint64 before = memory();
    Raw raw(served_->port());
    QVERIFY(raw.write(start));
    int sent = 0;
    while (sent < 16384 && raw.isOpen() && raw.write(more)) ++sent;   // 64 MiB, if it were read
    QVERIFY2(sent < 4096, qPrintable(QString("%1 KiB were taken").arg(sent * 4)));
    QVERIFY2(memory() - before < (8 << 20), qPrintable(QString("%1 KiB more").arg((memory() - before) / 1024)));
  }

  void withoutTheTokenNothingIsTold() {
    QTemporaryDir folder;
    QFile token(folder.filePath("token"));
    QVERIFY(token.open(QIODevice::WriteOnly) && token.write("0123456789abcdef\n") > 0);
    token.close();
    const Served guarded({"--token-file", token.fileName()});
    QVERIFY(guarded.isReady());
    QCOMPARE(QString::fromStdString(guarded.get("/health")->body), QStringLiteral("{\"status\":\"ready\"}"));
    QVERIFY(object(guarded.get("/health", {{"Authorization", "Bearer 0123456789abcdef"}})->body).contains("precision"));
    for (const char* wrong : {"", "Bearer", "Bearer ", "Basic 0123456789abcdef", "Bearer0123456789abcdef", "Bearer 0123456789abcdefg", "Bearer 0123456789abcde"})
      QCOMPARE(guarded.get("/metrics", {{"Authorization", wrong}})->status, 401);
    for (const char* right : {"Bearer 0123456789abcdef", "bearer 0123456789abcdef"}) QCOMPARE(guarded.get("/metrics", {{"Authorization", right}})->status, 200);
  }
};

QTEST_GUILESS_MAIN(ServeAttackTest)
#include "serve_attack_test.moc"
