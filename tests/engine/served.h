// quantspot-cli serve on a free port, for tests.
#pragma once

#include <httplib.h>

#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTest>
#include <QUrl>

#include <csignal>

#include <string>

namespace quantspot::test {

inline const QStringList kSmall = {"--threads", "1", "--width", "64", "--height", "64", "--max-sequence-length", "16"};

inline QJsonObject object(const std::string& text) { return QJsonDocument::fromJson(QByteArray::fromStdString(text)).object(); }

// A program that serves, ended with the object.
class Served {
 public:
  explicit Served(const QStringList& more = {}) {
    process_.setProcessChannelMode(QProcess::SeparateChannels);
    process_.start(QStringLiteral(QUANTSPOT_CLI),
                   QStringList{"serve", "--model", "default", "--precision", "bnb-nf4", "--port", "0"} + kSmall + more);
    QByteArray out;
    while (!out.contains('}') && process_.waitForReadyRead(240000)) out += process_.readAllStandardOutput();
    port_ = QUrl(QJsonDocument::fromJson(out).object()["url"].toString()).port();
  }
  ~Served() {
    process_.kill();
    process_.waitForFinished();
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", port_);
    client.set_read_timeout(120);
    return client;
  }
  httplib::Result post(const std::string& path, const std::string& body, const httplib::Headers& headers = {}) const {
    return client().Post(path.c_str(), headers, body, "application/json");
  }
  httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) const {
    return client().Get(path.c_str(), headers);
  }
  bool isReady() const {
    for (int i = 0; i < 3000; ++i) {   // a busy machine, a sanitizer
      if (const auto health = get("/health"); health && health->status == 200) return true;
      QTest::qSleep(100);
    }
    return false;
  }
  int port() const { return port_; }
  QProcess& process() { return process_; }
  int end(int signal) {
    ::kill(static_cast<pid_t>(process_.processId()), signal);
    return process_.waitForFinished(240000) && process_.exitStatus() == QProcess::NormalExit ? process_.exitCode() : -1;
  }

 private:
  QProcess process_;
  int port_ = 0;
};

}  // namespace quantspot::test
