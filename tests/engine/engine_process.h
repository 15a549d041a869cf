// The real quantspot-engine on a pipe, driven synchronously. Every wait has an end.
#pragma once

#include "engine/protocol/framing.h"
#include "engine/protocol/rpc.h"

#include <QElapsedTimer>
#include <QProcess>

#include <algorithm>
#include <deque>
#include <functional>

namespace quantspot::test {

class EngineProcess {
 public:
  explicit EngineProcess(const QStringList& environment = {}, const QString& program = QUANTSPOT_ENGINE) {
    process_.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process_.setEnvironment(QProcess::systemEnvironment() + environment);
    process_.start(program, {"--threads", "1"});
    process_.waitForStarted();
  }
  ~EngineProcess() {
    process_.closeWriteChannel();
    if (!process_.waitForFinished(30000)) process_.kill();
    process_.waitForFinished();
  }

  QProcess& process() { return process_; }
  void sendRaw(const std::string& bytes) { process_.write(bytes.data(), static_cast<qint64>(bytes.size())); }
  std::int64_t send(const std::string& method, const nlohmann::json& params = nlohmann::json::object()) {
    sendRaw(protocol::frame(encode(protocol::Call{++lastId_, method, params})));
    return lastId_;
  }

  // The next message that fits, whatever comes before it: replies are kept, notifications are recorded. Throws after `seconds`
  // or when the engine is gone.
  protocol::Reply replyTo(std::optional<std::int64_t> id, int seconds = 120) {
    wait(seconds, [&] { return std::ranges::any_of(replies_, [&](const auto& reply) { return reply.id == id; }); });
    const auto found = std::ranges::find_if(replies_, [&](const auto& reply) { return reply.id == id; });
    protocol::Reply reply = *found;
    replies_.erase(found);
    return reply;
  }
  // Replies must be results.
  nlohmann::json call(const std::string& method, const nlohmann::json& params = nlohmann::json::object()) {
    const protocol::Reply reply = replyTo(send(method, params));
    if (reply.error) throw *reply.error;
    return reply.result;
  }
  protocol::Progress waitForProgress(const std::string& stage, int step, int seconds = 120) {
    const auto fits = [&](const protocol::Progress& p) { return p.stage == stage && p.step >= step; };
    wait(seconds, [&] { return std::ranges::any_of(progress, fits); });
    return *std::ranges::find_if(progress, fits);
  }
  // False when it does not end in time.
  bool waitForEnd(int seconds = 60) { return process_.state() == QProcess::NotRunning || process_.waitForFinished(seconds * 1000); }

  std::vector<protocol::Progress> progress;
  std::vector<protocol::LogLine> log;

 private:
  void wait(int seconds, const std::function<bool()>& done) {
    QElapsedTimer timer;
    timer.start();
    while (!done()) {
      if (timer.elapsed() > seconds * 1000) throw std::runtime_error("the engine did not answer in time");
      if (process_.bytesAvailable() == 0 && !process_.waitForReadyRead(1000) && process_.state() == QProcess::NotRunning &&
          process_.bytesAvailable() == 0)
        throw std::runtime_error("the engine is gone");
      const QByteArray bytes = process_.readAllStandardOutput();
      reader_.feed({bytes.data(), static_cast<std::size_t>(bytes.size())});
      while (const auto message = reader_.next()) take(*message);
      if (const std::string garbage = reader_.takeGarbage(); !garbage.empty()) throw std::runtime_error("not a frame on stdout: " + garbage);
    }
  }

  void take(const std::string& text) {
    const nlohmann::json message = protocol::parseMessage(text);
    if (!protocol::isCall(message)) {
      replies_.push_back(protocol::toReply(message));
      return;
    }
    const protocol::Call call = protocol::toCall(message);
    if (call.method == "progress") progress.push_back(call.params.get<protocol::Progress>());
    if (call.method == "log") log.push_back(call.params.get<protocol::LogLine>());
  }

  QProcess process_;
  protocol::FrameReader reader_;
  std::deque<protocol::Reply> replies_;
  std::int64_t lastId_ = 0;
};

}  // namespace quantspot::test
