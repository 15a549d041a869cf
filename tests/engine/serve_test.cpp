// The real program behind HTTP: what it draws, refuses, counts, and how it ends.
#include "tests/engine/served.h"

#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <thread>
#include <vector>

using namespace quantspot::test;

namespace {

std::string request(int seed, int steps = 1) {
  return R"({"prompt":"a fox","seed":)" + std::to_string(seed) + R"(,"steps":)" + std::to_string(steps) + "}";
}

QString longPrompt(int letters) { return QString("{\"prompt\":\"%1\"}").arg(QString(letters, 'x')); }

// Whether a picture is drawn while so many requests wait.
bool drawsWhile(const Served& served, int waiting) {
  const auto metrics = served.get("/metrics");
  const auto says = [&](const std::string& line) { return metrics->body.find("\n" + line + "\n") != std::string::npos; };
  return metrics && says("quantspot_queue_depth " + std::to_string(waiting)) && says("quantspot_drawing 1");
}

QImage imageOf(const QJsonValue& base64) { return QImage::fromData(QByteArray::fromBase64(base64.toString().toLatin1()), "PNG"); }

}  // namespace

class ServeTest : public QObject {
  Q_OBJECT
  std::unique_ptr<Served> served_;       // of most tests
  QTemporaryDir folder_;

 private Q_SLOTS:
  void initTestCase() {
    served_ = std::make_unique<Served>();
    QVERIFY(served_->isReady());
  }

  void thePictureIsThatOfGenerate() {
    QProcess cli;
    const QString png = folder_.filePath("a.png"), report = folder_.filePath("a.json");
    cli.start(QStringLiteral(QUANTSPOT_CLI),
        QStringList{"generate", "--precision", "bnb-nf4", "--prompt", "a fox", "--seed", "7", "--steps", "3", "--out", png, "--report",
        report} + kSmall);
    QVERIFY(cli.waitForFinished(120000) && cli.exitCode() == 0);
    QFile file(report);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QString hash = QJsonDocument::fromJson(file.readAll()).object()["image_sha256"].toString();
    for (int again = 0; again < 2; ++again) {
      const auto reply = served_->post("/generate", request(7, 3));
      QVERIFY(reply && reply->status == 200);
      const QJsonObject made = object(reply->body);
      QCOMPARE(made["report"].toObject()["image_sha256"].toString(), hash);
      QVERIFY(imageOf(made["image"]) == QImage(png));
      QVERIFY(made["report"].toObject()["seconds"].toObject()["load"].toDouble() < 0.1);   // it was there already
    }
  }

  void theCommonShapeIsServed() {
    const auto reply = served_->post("/v1/images/generations",
        R"({"prompt":"a fox","n":2,"size":"64x64","response_format":"b64_json","seed":7,"model":"any","user":"me"})");
    QVERIFY(reply && reply->status == 200);
    const QJsonObject made = object(reply->body);
    QCOMPARE(made["data"].toArray().size(), 2);
    QVERIFY(made["created"].toDouble() > 1.7e9);
    const QImage second = imageOf(made["data"].toArray()[1].toObject()["b64_json"]);
    const auto single = served_->post("/v1/images/generations", R"({"prompt":"a fox","seed":8})");
    QVERIFY(single && single->status == 200);
    QVERIFY(second == imageOf(object(single->body)["data"].toArray()[0].toObject()["b64_json"]));
  }

  void noRequestIsLost_data() {
    QTest::addColumn<int>("clients");
    for (const int clients : {1, 4, 16}) QTest::newRow(std::to_string(clients).c_str()) << clients;
  }
  // Every client asks for seeds of its own and gets their pictures.
  void noRequestIsLost() {
    QFETCH(int, clients);
    constexpr int kEach = 3;
    static std::map<int, QString> known;   // seed → hash, of all rows
    std::vector<std::future<std::vector<std::pair<int, httplib::Result>>>> all;
    const auto start = std::chrono::steady_clock::now();
    for (int c = 0; c < clients; ++c)
      all.push_back(std::async(std::launch::async, [&, c] {
        std::vector<std::pair<int, httplib::Result>> replies;
        for (int i = 0; i < kEach; ++i) replies.emplace_back(c * kEach + i, served_->post("/generate", request(c * kEach + i)));
        return replies;
      }));
    int pictures = 0;
    for (auto& client : all)
      for (const auto& [seed, reply] : client.get()) {
        QVERIFY2(reply && reply->status == 200, reply ? reply->body.c_str() : to_string(reply.error()).c_str());
        const QJsonObject report = object(reply->body)["report"].toObject();
        QCOMPARE(report["recipe"].toObject()["seed"].toInt(), seed);
        const QString hash = report["image_sha256"].toString();
        QCOMPARE(known.try_emplace(seed, hash).first->second, hash);
        ++pictures;
      }
    QCOMPARE(pictures, clients * kEach);
    qInfo("%d clients: %d pictures in %.2f s", clients, pictures, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  void badRequestsAreToldWhy_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("body");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    const auto row = [](const char* name, const char* path, const QString& body, int code,
        const char* word) { QTest::newRow(name) << path << body << code << word; };
    row("no JSON", "/generate", "{", 400, "no JSON");
    row("list", "/generate", "[]", 400, "object");
    row("no prompt", "/generate", "{}", 400, "prompt is missing");
    row("unknown key", "/generate", R"({"prompt":"x","sead":1})", 400, "'sead' is not known");
    row("type of prompt", "/generate", R"({"prompt":7})", 400, "prompt = 7");
    row("fraction of a step", "/generate", R"({"prompt":"x","steps":2.5})", 400, "steps = 2.5");
    row("no steps", "/generate", R"({"prompt":"x","steps":0})", 400, "steps = 0");
    row("many steps", "/generate", R"({"prompt":"x","steps":101})", 400, "1 to 100");
    row("no multiple", "/generate", R"({"prompt":"x","width":100})", 400, "width = 100");
    row("large", "/generate", R"({"prompt":"x","width":100000})", 400, "width = 100000");
    row("seed", "/generate", R"({"prompt":"x","seed":-1})", 400, "seed = -1");
    row("guidance", "/generate", R"({"prompt":"x","guidance_scale":-3})", 400, "guidance = -3");
    row("guidance as text", "/generate", R"({"prompt":"x","guidance_scale":"high"})", 400, "guidance_scale");
    row("scheduler", "/generate", R"({"prompt":"x","scheduler":"fast"})", 400, "fast");
    row("long prompt", "/generate", longPrompt(9000), 400, "9000 bytes");
    row("large body", "/generate", longPrompt(70000), 413, "64 KiB");
    row("url", "/v1/images/generations", R"({"prompt":"x","response_format":"url"})", 400, "b64_json");
    row("n", "/v1/images/generations", R"({"prompt":"x","n":11})", 400, "n = 11");
    row("size", "/v1/images/generations", R"({"prompt":"x","size":"big"})", 400, "WIDTHxHEIGHT");
    row("size and more", "/v1/images/generations", R"({"prompt":"x","size":"64x64x64"})", 400, "WIDTHxHEIGHT");
    row("size of nothing", "/v1/images/generations", R"({"prompt":"x","size":"0x64"})", 400, "WIDTHxHEIGHT");
    row("size below nothing", "/v1/images/generations", R"({"prompt":"x","size":"-8x64"})", 400, "WIDTHxHEIGHT");
    row("size above the limit", "/v1/images/generations", R"({"prompt":"x","size":"2048x2048"})", 400, "at most 1024");
    row("no such path", "/draw", "{}", 404, "/draw");
  }
  void badRequestsAreToldWhy() {
    QFETCH(QString, path);
    QFETCH(QString, body);
    QFETCH(int, code);
    QFETCH(QString, word);
    const auto reply = served_->post(path.toStdString(), body.toStdString());
    QVERIFY(reply);
    QVERIFY2(reply->status == code, reply->body.c_str());
    QVERIFY2(object(reply->body)["error"].toObject()["message"].toString().contains(word), reply->body.c_str());
  }

  // By its type, whatever it holds: "application/x-www-form-urlencoded" is what curl -d sends, and what a page in a browser may send anywhere.
  void onlyJsonIsRead() {
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp"}) {
      const auto reply = served_->client().Post("/generate", request(1), type);
      QVERIFY(reply && reply->status == 415);
      const QString said = object(reply->body)["error"].toObject()["message"].toString();
      QVERIFY2(said.contains("'Content-Type: application/json'") && said.contains(QLatin1String(type)), qPrintable(said));
    }
  }

  void headersAloneCanBeAskedFor_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("code");
    QTest::newRow("health") << "/health" << 200;
    QTest::newRow("metrics") << "/metrics" << 200;
    QTest::newRow("generate") << "/generate" << 405;
    QTest::newRow("nothing") << "/draw" << 404;
  }
  void headersAloneCanBeAskedFor() {
    QFETCH(QString, path);
    QFETCH(int, code);
    const auto head = served_->client().Head(path.toStdString());
    QVERIFY(head);
    QCOMPARE(head->status, code);
    QVERIFY2(head->body.empty(), head->body.c_str());
    if (code == 405) QCOMPARE(QByteArray::fromStdString(head->get_header_value("Allow")), QByteArray("POST"));
    if (code != 200) return;
    const auto get = served_->get(path.toStdString());
    QVERIFY(get && get->status == 200 && !get->body.empty());
    QCOMPARE(head->get_header_value("Content-Type"), get->get_header_value("Content-Type"));
    QVERIFY(std::stoul(head->get_header_value("Content-Length")) > 10);
  }

  void aPageUnderAnotherNameIsRefused() {
    const auto reply = served_->post("/generate", request(1), {{"Host", "evil.example:8000"}});
    QVERIFY(reply && reply->status == 403);
  }

  void metricsAreCounted() {
    const auto before = served_->get("/metrics");
    QVERIFY(before && before->status == 200);
    const auto value = [](const std::string& text, const std::string& name) {
      const std::size_t at = text.find("\n" + name + " ");
      return at == text.npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    };
    QVERIFY(served_->post("/generate", request(3, 2))->status == 200);
    QVERIFY(served_->post("/generate", "{}")->status == 400);
    const std::string after = served_->get("/metrics")->body;
    for (const auto& [name, more] : std::map<std::string,
        double>{{"quantspot_requests_total{path=\"/generate\",code=\"200\"}", 1}, {"quantspot_requests_total{path=\"/generate\",code=\"400\"}", 1},
                                                                  {"quantspot_images_total", 1}, {"quantspot_steps_total", 2}})
      QVERIFY2(value(after, name) == value(before->body, name) + more, (name + " in\n" + after).c_str());
    QCOMPARE(value(after, "quantspot_request_seconds_bucket{le=\"+Inf\"}"), value(after, "quantspot_request_seconds_count"));
    QCOMPARE(value(after, "quantspot_queue_depth"), 0.0);
    QTRY_COMPARE_WITH_TIMEOUT(value(served_->get("/metrics")->body, "quantspot_drawing"), 0.0, 60000);
    QCOMPARE(value(after, "quantspot_ready"), 1.0);
    QVERIFY(value(after, "quantspot_peak_memory_bytes") > 5e7);
  }

  void aFullQueueSaysSo() {
    const Served served({"--queue", "1"});
    QVERIFY(served.isReady());
    std::vector<std::future<httplib::Result>> all;
    for (int c = 0; c < 8; ++c) all.push_back(std::async(std::launch::async, [&, c] { return served.post("/generate", request(c, 20)); }));
    std::map<int, int> codes;
    for (auto& one : all) {
      const httplib::Result reply = one.get();
      QVERIFY(reply);
      ++codes[reply->status];
      if (reply->status == 429) QVERIFY(reply->get_header_value("Retry-After") == "5" && reply->body.find("try again") != std::string::npos);
    }
    QVERIFY2(codes[200] >= 1 && codes[429] >= 1 && codes[200] + codes[429] == 8,
        qPrintable(QString("%1 drawn, %2 refused").arg(codes[200]).arg(codes[429])));
  }

  // Connections that come while the server cannot take any (here: it is stopped) wait until it can.
  void manyAtOnceAreAllAnswered() {
    constexpr int kClients = 64;
    QProcess& server = served_->process();
    ::kill(static_cast<pid_t>(server.processId()), SIGSTOP);
    std::vector<std::unique_ptr<QTcpSocket>> all;
    for (int c = 0; c < kClients; ++c) {
      all.push_back(std::make_unique<QTcpSocket>());
      all.back()->connectToHost("127.0.0.1", static_cast<quint16>(served_->port()));
      all.back()->write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    int connected = 0;
    for (const auto& one : all) connected += one->waitForConnected(500) && one->waitForBytesWritten(500);
    ::kill(static_cast<pid_t>(server.processId()), SIGCONT);
    QCOMPARE(connected, kClients);
    for (const auto& one : all) {
      while (one->state() == QAbstractSocket::ConnectedState && one->waitForReadyRead(20000)) {}
      QVERIFY2(one->readAll().startsWith("HTTP/1.1 200"), qPrintable(one->errorString()));
    }
  }

  void whatTakesTooLongIsEnded() {
    const Served served({"--timeout", "0.2"});
    QVERIFY(served.isReady());
    const auto reply = served.post("/generate", request(1, 100));
    QVERIFY(reply);
    QVERIFY2(reply->status == 504, reply->body.c_str());
  }

  void aSignalFinishesWhatIsDrawn_data() {
    QTest::addColumn<int>("signal");
    QTest::newRow("SIGTERM") << SIGTERM;
    QTest::newRow("SIGINT") << SIGINT;
  }
  void aSignalFinishesWhatIsDrawn() {
    QFETCH(int, signal);
    Served served;
    QVERIFY(served.isReady());
    std::vector<std::future<httplib::Result>> all;
    for (int c = 0; c < 4; ++c) all.push_back(std::async(std::launch::async, [&, c] { return served.post("/generate", request(c, 100)); }));
    const auto isAnswered = [](const auto& one) { return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready; };
    while (!drawsWhile(served, 3)) {          // however slow the machine is: the first picture is still being drawn
      QVERIFY2(std::ranges::none_of(all, isAnswered), "answered before the others waited");
      QTest::qSleep(20);
    }
    const int code = served.end(signal);
    std::map<int, int> codes;
    for (auto& one : all) {
      const httplib::Result reply = one.get();
      QVERIFY(reply);
      ++codes[reply->status];
    }
    QVERIFY2(codes[200] >= 1 && codes[200] <= 2 && codes[200] + codes[503] == 4, qPrintable(QString("%1 drawn, %2 refused").arg(codes[200]).arg(codes[503])));
    QCOMPARE(code, 0);
  }

  void tokensAreAskedFor() {
    const QString file = folder_.filePath("token");
    QFile token(file);
    QVERIFY(token.open(QIODevice::WriteOnly) && token.write("0123456789abcdef\n") > 0);
    token.close();
    const Served served({"--host", "0.0.0.0", "--token-file", file});
    QVERIFY(served.isReady());           // /health needs none
    QCOMPARE(served.post("/generate", request(1))->status, 401);
    QCOMPARE(served.post("/generate", request(1), {{"Authorization", "Bearer 0123456789abcdeg"}})->status, 401);
    QCOMPARE(served.get("/metrics")->status, 401);
    QCOMPARE(served.post("/generate", request(1), {{"Authorization", "Bearer 0123456789abcdef"}})->status, 200);
  }

  void whatCannotBeServedIsSaid_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    QTest::newRow("open address") << QStringList{"--host", "0.0.0.0"} << 2 << "--token-file";
    QTest::newRow("port") << QStringList{"--port", QString::number(served_->port())} << 1 << "cannot be served";
    QTest::newRow("precision") << QStringList{"--precision", "auto"} << 2 << "one precision";
    QTest::newRow("model") << QStringList{"--model", "/nowhere"} << 1 << "/nowhere";
    QTest::newRow("size") << QStringList{"--width", "100"} << 2 << "width = 100";
    QTest::newRow("token") << QStringList{"--token-file", "/nowhere"} << 1 << "/nowhere";
  }
  void whatCannotBeServedIsSaid() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, word);
    QProcess cli;
    cli.start(QStringLiteral(QUANTSPOT_CLI), QStringList{"serve"} + arguments);
    QVERIFY(cli.waitForFinished(30000));
    const QByteArray said = cli.readAllStandardError();
    QVERIFY2(cli.exitCode() == code && said.contains(word.toUtf8()) && said.count('\n') == 1, said);
  }
};

QTEST_GUILESS_MAIN(ServeTest)
#include "serve_test.moc"
