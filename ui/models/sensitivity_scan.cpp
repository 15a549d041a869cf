#include "ui/models/sensitivity_scan.h"

#include <QStringList>

#include <algorithm>
#include <cmath>

namespace quantspot::ui {

SensitivityScan::SensitivityScan(EngineClient* engine, QObject* parent) : QObject(parent), engine_(engine) {
  connect(engine, &EngineClient::progress, this, [this](const protocol::Progress& progress) {
    if (progress.id != call_ || call_ == 0) return;
    progress_ = progress;
    Q_EMIT changed();
  });
}

void SensitivityScan::forget() {
  if (isRunning()) engine_->cancel(call_);
  end();
  result_.reset();
  Q_EMIT changed();
}

void SensitivityScan::start(protocol::ScanParams params) {
  if (isRunning()) return;
  result_.reset();
  params.known.clear(), params.max_error = 0, params.max_bytes = 0;
  params_ = params;
  run(params);
}

void SensitivityScan::findUnderError(double error) { find(error, 0); }
void SensitivityScan::findUnderBytes(qint64 bytes) { find(0, bytes); }

void SensitivityScan::find(double error, qint64 bytes) {
  if (isRunning() || !result_) return;
  protocol::ScanParams params = params_;
  params.known = result_->groups;
  params.max_error = error, params.max_bytes = bytes;
  run(params);
}

void SensitivityScan::run(const protocol::ScanParams& params) {
  context_ = std::make_unique<QObject>();
  progress_ = {};
  cancelling_ = false;
  time_.start();
  call_ = engine_->call<protocol::ScanResult>(
      QStringLiteral("policies/scan"), params, context_.get(),
      [this](const protocol::ScanResult& result) {
        end();
        result_ = result;
        result_->found.reset();
        Q_EMIT changed();
        if (result.found) Q_EMIT found(*result.found);
      },
      [this](const RpcError& error) {
        end();
        Q_EMIT changed();
        if (error.code != protocol::Cancelled) Q_EMIT failed(error.message);
      });
  Q_EMIT changed();
}

void SensitivityScan::end() { call_ = 0, cancelling_ = false; }

void SensitivityScan::cancel() {
  if (!isRunning()) return;
  engine_->cancel(call_);
  cancelling_ = true;
  Q_EMIT changed();
}

double SensitivityScan::fraction() const {
  if (!isRunning() || progress_.stage != "scan" || progress_.steps <= 0) return 0;
  return std::clamp(static_cast<double>(progress_.step) / progress_.steps, 0.0, 1.0);
}

// The whole models that a search measures come on top of what the engine counts.
QString SensitivityScan::statusText() const {
  if (!isRunning()) return {};
  if (cancelling_) return tr("cancelling");
  if (progress_.stage != "scan" || progress_.steps == 0) return tr("preparing");
  if (progress_.step >= progress_.steps) return tr("measuring whole policies");
  const QString text = tr("round %1 of %2").arg(progress_.step + 1).arg(progress_.steps);
  if (progress_.step < 1) return text;
  const double left = static_cast<double>(time_.elapsed()) / 1000 / progress_.step * (progress_.steps - progress_.step);
  return left < 100 ? tr("%1 · about %2\u2009s left").arg(text).arg(std::max(1L, std::lround(left)))
                    : tr("%1 · about %2\u2009min left").arg(text).arg(std::lround(left / 60));
}

QHash<QString, double> SensitivityScan::layerErrors() const {
  QHash<QString, double> errors;
  if (!result_) return errors;
  for (const protocol::ScannedGroup& group : result_->groups)
    for (const std::string& layer : group.layers) errors.insert(QString::fromStdString(layer), group.error);
  return errors;
}

qint64 picturesOfScan(qint64 groups, qint64 prompts) { return (groups + 2) * prompts; }

QString blockOfLayer(const QString& layer) {
  const QStringList pieces = layer.split(u'.');
  for (qsizetype i = 1; i < pieces.size(); ++i)
    if (!pieces[i].isEmpty() && std::all_of(pieces[i].begin(), pieces[i].end(), [](QChar c) { return c.isDigit(); }))
      return pieces.mid(0, i + 1).join(u'.');
  return layer;
}

}  // namespace quantspot::ui
