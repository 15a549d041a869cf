// The engine as seen from the GUI: a process that answers JSON-RPC requests. Never blocks and never throws; all calls and
// handlers run in the thread of the object. A process that dies takes its requests with it (each gets an error), and the
// next call starts a new one.
#pragma once

#include "engine/protocol/framing.h"
#include "engine/protocol/messages.h"

#include <QObject>
#include <QPointer>
#include <QStringList>

#include <functional>
#include <map>

class QProcess;

namespace quantspot::ui {

// Error code of requests whose engine died or could not be started; the others are protocol::ErrorCode.
inline constexpr int kEngineLost = -32090;

struct RpcError {
  int code = 0;
  QString message;
};

struct EngineCommand {
  QString program;
  QStringList arguments;
};

// $QUANTSPOT_ENGINE, or quantspot-engine beside the application.
EngineCommand localEngine();
// An engine on another host: `ssh host quantspot-engine`.
EngineCommand remoteEngine(const QString& host);

class EngineClient : public QObject {
  Q_OBJECT
 public:
  using ErrorHandler = std::function<void(const RpcError&)>;

  explicit EngineClient(EngineCommand command = localEngine(), QObject* parent = nullptr);
  ~EngineClient() override;

  // Starts the process and sends `initialize`; call() does it when needed.
  void start();
  // Asks the engine to end and forgets it; pending requests get an error. No engineLost.
  void stop();
  bool isRunning() const;
  const EngineCommand& command() const { return command_; }   // that it is started with

  // Sends a request and returns its id (the one that `progress` carries). One handler is called, later, and none once
  // context (not null) is gone.
  template <class Result, class Params>
  qint64 call(const QString& method, const Params& params, QObject* context,
              std::function<void(const Result&)> on_result, ErrorHandler on_error) {
    return send(method, nlohmann::json(params), context,
                [on_result = std::move(on_result)](const nlohmann::json& json) { on_result(json.get<Result>()); },
                std::move(on_error));
  }

  // Asks the engine to stop working on a request, which then ends with protocol::Cancelled. An engine that does not
  // answer within the grace time is killed.
  void cancel(qint64 id);
  void setCancelGrace(int milliseconds) { cancel_grace_ms_ = milliseconds; }

 Q_SIGNALS:
  void initialized(const quantspot::protocol::InitializeResult& engine);
  void progress(const quantspot::protocol::Progress& progress);
  void engineLost(const QString& reason);   // after the error handlers of its requests
  void log(const QString& line);            // the engine's stderr, and whatever on stdout is no message

 private:
  struct Pending {
    QString method;
    QPointer<QObject> context;
    std::function<void(const nlohmann::json&)> on_result;   // may throw nlohmann's exceptions
    ErrorHandler on_error;
  };

  qint64 send(const QString& method, nlohmann::json params, QObject* context,
              std::function<void(const nlohmann::json&)> on_result, ErrorHandler on_error);
  void write(const std::string& message);
  void watch(QProcess* process);
  void initialize();
  void readOutput();
  void readErrors();
  void receive(const std::string& body);
  void receiveCall(const nlohmann::json& message);
  void receiveReply(const nlohmann::json& message);
  // Ends with the process: kills it when it still runs, fails its requests, tells why.
  void lose(const QString& reason);
  QProcess* detach();
  void failPending(const RpcError& error);
  QString exitReason() const;

  EngineCommand command_;
  QProcess* process_ = nullptr;              // a child of this; null when there is no engine
  protocol::FrameReader reader_;
  std::map<qint64, Pending> pending_;
  QByteArray error_line_;
  QString last_error_line_;
  qint64 next_id_ = 1;
  int cancel_grace_ms_ = 15000;
};

}  // namespace quantspot::ui
