#include "ui/client/engine_client.h"

#include "engine/protocol/read.h"
#include "engine/protocol/rpc.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>
#include <QTimer>

namespace quantspot::ui {
namespace {

constexpr int kStopGraceMs = 2000;
constexpr int kSigKill = 9;

QString signalText(int number) {
  if (number == kSigKill)
    return EngineClient::tr("the engine was killed (signal 9): most likely the memory ran out; try a smaller size, or close other programs");
  return EngineClient::tr("the engine crashed (signal %1)").arg(number);
}

// SIGKILL after a while, and no wait: the process object goes when the process has gone.
void dismiss(QProcess* process, int grace_ms) {
  QObject::connect(process, &QProcess::finished, process, &QObject::deleteLater);
  if (process->state() == QProcess::NotRunning) return process->deleteLater();
  if (grace_ms == 0) return process->kill();
  QTimer::singleShot(grace_ms, process, &QProcess::kill);
}

}  // namespace

EngineCommand localEngine() {
  const QString given = qEnvironmentVariable("QUANTSPOT_ENGINE");
  if (!given.isEmpty()) return {given, {}};
  const QString name = QStringLiteral("quantspot-engine");
  const QString beside = QDir(QCoreApplication::applicationDirPath()).filePath(name);
  return {QFileInfo::exists(beside) ? beside : name, {}};
}

EngineCommand remoteEngine(const QString& host) {
  // BatchMode: a password prompt would wait on a terminal that nobody sees. "--": a host is never an option.
  return {QStringLiteral("ssh"), {QStringLiteral("-T"), QStringLiteral("-o"), QStringLiteral("BatchMode=yes"), QStringLiteral("--"), host,
                                  QStringLiteral("quantspot-engine")}};
}

EngineClient::EngineClient(EngineCommand command, QObject* parent) : QObject(parent), command_(std::move(command)) {}

EngineClient::~EngineClient() {
  detach();
  // Also those that were told to stop a moment ago. ~QProcess would wait as well, after a warning.
  for (QProcess* process : findChildren<QProcess*>()) {
    process->disconnect();
    process->kill();
    process->waitForFinished(1000);
  }
}

bool EngineClient::isRunning() const { return process_ && process_->state() != QProcess::NotRunning; }

void EngineClient::start() {
  if (process_) return;
  process_ = new QProcess(this);
  reader_ = protocol::FrameReader();
  error_line_.clear();
  last_error_line_.clear();
  watch(process_);
  process_->start(command_.program, command_.arguments);
  initialize();
}

void EngineClient::watch(QProcess* process) {
  connect(process, &QProcess::readyReadStandardOutput, this, &EngineClient::readOutput);
  connect(process, &QProcess::readyReadStandardError, this, &EngineClient::readErrors);
  connect(process, &QProcess::finished, this, [this] {
    readErrors();
    readOutput();
    if (process_) lose(exitReason());
  });
  // Queued: it may come out of QProcess::start(), and a handler must not run inside call().
  connect(process, &QProcess::errorOccurred, this, [this, process](QProcess::ProcessError error) {
    if (process == process_ && error == QProcess::FailedToStart)
      lose(tr("the engine '%1' cannot be started: %2; install quantspot-engine beside this program, or set QUANTSPOT_ENGINE")
               .arg(command_.program, process->errorString()));
  }, Qt::QueuedConnection);
}

void EngineClient::initialize() {
  const nlohmann::json params = {{"protocol", protocol::kProtocolVersion}, {"client", "quantspot " QUANTSPOT_VERSION}};
  call<protocol::InitializeResult>(QStringLiteral("initialize"), params, this, [this](const protocol::InitializeResult& engine) {
    if (engine.protocol != protocol::kProtocolVersion)
      return lose(tr("the engine speaks protocol %1 and this program %2: install both from one version")
                      .arg(engine.protocol).arg(protocol::kProtocolVersion));
    Q_EMIT initialized(engine);
  }, [this](const RpcError& error) {
    if (error.code != kEngineLost) lose(tr("the engine did not initialize: %1").arg(error.message));
  });
}

void EngineClient::stop() {
  QProcess* process = process_;
  if (process && isRunning()) write(protocol::encode(protocol::Call{next_id_++, "shutdown"}));
  if (!detach()) return;
  process->closeWriteChannel();
  dismiss(process, kStopGraceMs);
  failPending({kEngineLost, tr("the engine was stopped")});
}

QProcess* EngineClient::detach() {
  QProcess* process = std::exchange(process_, nullptr);
  if (process) process->disconnect(this);
  return process;
}

void EngineClient::lose(const QString& reason) {
  if (QProcess* process = detach()) dismiss(process, 0);
  failPending({kEngineLost, reason});
  Q_EMIT engineLost(reason);
}

void EngineClient::failPending(const RpcError& error) {
  // Taken out first: a handler may send the next request, to the next engine.
  for (auto& [id, request] : std::exchange(pending_, {}))
    if (request.context && request.on_error) request.on_error(error);
}

qint64 EngineClient::send(const QString& method, nlohmann::json params, QObject* context,
                          std::function<void(const nlohmann::json&)> on_result, ErrorHandler on_error) {
  Q_ASSERT(context);
  start();
  const qint64 id = next_id_++;
  pending_[id] = {method, context, std::move(on_result), std::move(on_error)};
  write(protocol::encode(protocol::Call{id, method.toStdString(), std::move(params)}));
  return id;
}

void EngineClient::write(const std::string& message) {
  const std::string framed = protocol::frame(message);
  process_->write(framed.data(), static_cast<qint64>(framed.size()));
}

void EngineClient::cancel(qint64 id) {
  if (!process_ || !pending_.contains(id)) return;
  write(protocol::encode(protocol::Call{{}, "cancel", protocol::CancelParams{id}}));
  QTimer::singleShot(cancel_grace_ms_, this, [this, id] {
    if (pending_.contains(id)) lose(tr("the engine did not stop when asked to and was ended"));
  });
}

void EngineClient::readErrors() {
  if (!process_) return;
  error_line_ += process_->readAllStandardError();
  for (qsizetype end; (end = error_line_.indexOf('\n')) >= 0; error_line_.remove(0, end + 1)) {
    const QString line = QString::fromUtf8(error_line_.first(end)).trimmed();
    if (line.isEmpty()) continue;
    last_error_line_ = line;
    Q_EMIT log(line);
  }
}

void EngineClient::readOutput() {
  if (!process_) return;
  const QByteArray bytes = process_->readAllStandardOutput();
  const QPointer<QProcess> reading = process_;
  reader_.feed({bytes.constData(), static_cast<std::size_t>(bytes.size())});
  try {
    // A handler may stop the engine or start another one.
    while (reading && reading == process_) {
      const auto message = reader_.next();
      const QString garbage = QString::fromUtf8(reader_.takeGarbage()).trimmed();
      if (!garbage.isEmpty()) Q_EMIT log(tr("not a message: %1").arg(garbage));
      if (!message) break;
      receive(*message);
    }
  } catch (const protocol::FramingError& error) {
    lose(tr("the engine's output cannot be read: %1").arg(QString::fromUtf8(error.what())));
  }
}

void EngineClient::receive(const std::string& body) {
  nlohmann::json message;
  try {
    message = protocol::parseMessage(body);
  } catch (const protocol::RpcError& error) {
    return lose(tr("the engine sent something that is no message: %1").arg(QString::fromUtf8(error.what())));
  }
  protocol::isCall(message) ? receiveCall(message) : receiveReply(message);
}

void EngineClient::receiveCall(const nlohmann::json& message) {
  try {
    const protocol::Call call = protocol::toCall(message);
    if (call.method == "progress") return Q_EMIT progress(protocol::readMessage<protocol::Progress>(call.params));
    if (call.method == "log") return Q_EMIT log(QString::fromStdString(protocol::readMessage<protocol::LogLine>(call.params).message));
    Q_EMIT log(tr("unknown notification '%1'").arg(QString::fromStdString(call.method)));
  } catch (const std::exception& error) {   // protocol::RpcError, protocol::FieldError
    Q_EMIT log(tr("a notification cannot be read: %1").arg(QString::fromUtf8(error.what())));
  }
}

void EngineClient::receiveReply(const nlohmann::json& message) {
  protocol::Reply reply;
  try {
    reply = protocol::toReply(message);
  } catch (const std::exception& error) {
    return lose(tr("the engine sent a reply that cannot be read: %1").arg(QString::fromUtf8(error.what())));
  }
  auto found = reply.id ? pending_.extract(*reply.id) : decltype(pending_)::node_type();
  if (found.empty()) return Q_EMIT log(tr("a reply to nothing that was asked"));
  Pending& request = found.mapped();
  if (!request.context) return;
  if (reply.error) return request.on_error({reply.error->code, QString::fromUtf8(reply.error->what())});
  try {
    protocol::checkResult(request.method.toStdString(), reply.result);
    request.on_result(reply.result);
  } catch (const nlohmann::json::exception& error) {
    const QString reason = QString::fromUtf8(error.what());
    request.on_error({protocol::InternalError, tr("the engine's reply to %1 cannot be read: %2").arg(request.method, reason)});
  }
}

QString EngineClient::exitReason() const {
  const int code = process_->exitCode();   // of a crash: the signal
  if (process_->exitStatus() == QProcess::CrashExit) return signalText(code);
  if (code == 128 + kSigKill) return signalText(kSigKill);   // as a shell or ssh passes it on
  const QString reason = code == 0 ? tr("the engine ended by itself") : tr("the engine ended with exit code %1").arg(code);
  return last_error_line_.isEmpty() ? reason : QStringLiteral("%1: %2").arg(reason, last_error_line_);
}

}  // namespace quantspot::ui
