#include "ui/models/model_download.h"

#include <QLocale>

#include <algorithm>

namespace quantspot::ui {

ModelDownload::ModelDownload(EngineCommand command, QObject* parent) : QObject(parent), engine_(std::move(command)) {
  connect(&engine_, &EngineClient::progress, this, [this](const protocol::Progress& progress) {
    if (progress.id != call_ || call_ == 0) return;
    progress_ = progress;
    Q_EMIT changed();
  });
}

void ModelDownload::start(const QString& repo, const QString& revision, const QString& include) {
  if (isRunning()) return;
  protocol::DownloadParams params{.repo = repo.trimmed().toStdString()};
  if (!revision.trimmed().isEmpty()) params.revision = revision.trimmed().toStdString();
  for (const QString& glob : include.split(u',', Qt::SkipEmptyParts)) params.include.push_back(glob.trimmed().toStdString());
  progress_ = {};
  call_ = engine_.call<protocol::DownloadResult>(
      QStringLiteral("models/download"), params, this,
      [this](const protocol::DownloadResult& model) {
        end();
        Q_EMIT finished(model);
      },
      [this](const RpcError& error) {
        end();
        Q_EMIT failed(error.code == protocol::Cancelled ? QString() : error.message);
      });
  Q_EMIT changed();
}

// The process goes with the download: idle it would only hold memory.
void ModelDownload::end() {
  call_ = 0;
  engine_.stop();
  Q_EMIT changed();
}

void ModelDownload::cancel() {
  if (isRunning()) engine_.cancel(call_);
}

double ModelDownload::fraction() const {
  return isRunning() && progress_.steps > 0 ? std::clamp(static_cast<double>(progress_.step) / progress_.steps, 0.0, 1.0) : 0;
}

QString ModelDownload::statusText() const {
  if (!isRunning()) return {};
  if (progress_.steps == 0) return tr("asking the hub");
  return tr("%1 of %2\u2009MiB").arg(QLocale::c().toString(progress_.step), QLocale::c().toString(progress_.steps));
}

}  // namespace quantspot::ui
