#include "ui/models/metric_weights.h"

#include <QLocale>

#include <algorithm>

namespace quantspot::ui {

MetricWeights::MetricWeights(EngineCommand command, QObject* parent) : QObject(parent), engine_(std::move(command)) {
  connect(&engine_, &EngineClient::progress, this, [this](const protocol::Progress& progress) {
    if (progress.id != call_ || call_ == 0) return;
    progress_ = progress;
    Q_EMIT changed();
  });
}

void MetricWeights::list() {
  engine_.call<protocol::MetricsListResult>(
      QStringLiteral("metrics/list"), nlohmann::json::object(), this,
      [this](const protocol::MetricsListResult& result) {
        entries_ = result.metrics, folder_ = QString::fromStdString(result.folder);
        if (name_.isEmpty()) engine_.stop();
        Q_EMIT listed();
      },
      [this](const RpcError& error) { Q_EMIT failed(error.message); });
}

void MetricWeights::download(const QString& name) {
  if (!name_.isEmpty()) return;
  name_ = name, progress_ = {};
  call_ = engine_.call<protocol::MetricDownloadResult>(
      QStringLiteral("metrics/download"), protocol::MetricDownloadParams{name.toStdString()}, this,
      [this](const protocol::MetricDownloadResult& result) {
        for (protocol::MetricWeightsEntry& entry : entries_) entry.installed = entry.installed || entry.name == result.name;
        end();
        Q_EMIT finished(QString::fromStdString(result.name));
      },
      [this](const RpcError& error) {
        end();
        Q_EMIT failed(error.code == protocol::Cancelled ? QString() : error.message);
      });
  Q_EMIT changed();
}

void MetricWeights::end() {
  call_ = 0;
  name_.clear();
  engine_.stop();
  Q_EMIT changed();
}

void MetricWeights::cancel() {
  if (!name_.isEmpty()) engine_.cancel(call_);
}

double MetricWeights::fraction() const {
  return !name_.isEmpty() && progress_.steps > 0 ? std::clamp(static_cast<double>(progress_.step) / progress_.steps, 0.0, 1.0) : 0;
}

QString MetricWeights::statusText() const {
  if (name_.isEmpty()) return {};
  if (progress_.steps == 0) return tr("%1: asking").arg(name_);
  return tr("%1: %2 of %3\u2009MiB").arg(name_, QLocale::c().toString(progress_.step), QLocale::c().toString(progress_.steps));
}

}  // namespace quantspot::ui
