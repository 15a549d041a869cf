// The real weights that metrics ask for: which are on the engine's machine, and bringing one there. It has an engine of its own, which lives only
// while it is asked something: evaluations go on meanwhile, and nothing touches a network before download().
#pragma once

#include "ui/client/engine_client.h"

namespace quantspot::ui {

class MetricWeights : public QObject {
  Q_OBJECT
 public:
  explicit MetricWeights(EngineCommand command, QObject* parent = nullptr);

  void list();                                    // then listed() or failed()
  const std::vector<protocol::MetricWeightsEntry>& entries() const { return entries_; }
  QString folder() const { return folder_; }      // where they are kept, on the engine's machine

  void download(const QString& name);             // nothing while one runs
  void cancel();                                  // what has come stays, and is not fetched again
  QString downloading() const { return name_; }   // empty: none
  double fraction() const;                        // 0…1
  QString statusText() const;                     // "lpips-alex: 21 of 233 MiB"; empty when idle

 Q_SIGNALS:
  void changed();
  void listed();
  void finished(const QString& name);
  void failed(const QString& message);            // empty: cancelled

 private:
  void end();

  EngineClient engine_;
  std::vector<protocol::MetricWeightsEntry> entries_;
  QString folder_, name_;
  qint64 call_ = 0;
  protocol::Progress progress_;
};

}  // namespace quantspot::ui
