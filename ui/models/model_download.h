// Brings a model from a hub into the cache of the engine's machine. It has an engine of its own, so that comparisons go on meanwhile.
#pragma once

#include "ui/client/engine_client.h"

namespace quantspot::ui {

class ModelDownload : public QObject {
  Q_OBJECT
 public:
  explicit ModelDownload(EngineCommand command, QObject* parent = nullptr);

  // include: globs with commas between; empty: what a pipeline needs. Nothing happens while one runs.
  void start(const QString& repo, const QString& revision, const QString& include);
  void cancel();                                  // what has come stays, and is not fetched again
  bool isRunning() const { return call_ != 0; }
  double fraction() const;                        // 0…1
  QString statusText() const;                     // "210 of 1 024 MiB"; empty when idle

 Q_SIGNALS:
  void changed();
  void finished(const quantspot::protocol::DownloadResult& model);
  void failed(const QString& message);            // the engine's line, which says what to do; empty: cancelled

 private:
  void end();

  EngineClient engine_;
  qint64 call_ = 0;
  protocol::Progress progress_;
};

}  // namespace quantspot::ui
