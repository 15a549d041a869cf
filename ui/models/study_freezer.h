// Freezing a draft off the window's thread: reads and checks every picture, seals, and puts the study into the store.
#pragma once

#include "ui/models/background.h"
#include "ui/models/study_draft.h"

#include <atomic>

namespace quantspot::ui {

class StudyFreezer : public QObject {
  Q_OBJECT
 public:
  explicit StudyFreezer(QObject* parent = nullptr);
  // Cancels what may still be cancelled, and waits: the study is then whole in the store and its draft gone, or nothing has changed.
  ~StudyFreezer() override;

  // history: the file of the comparisons, read through a connection of its own; afterwards its copies of the study's pictures are sealed. studies:
  // where the study goes, as Ledger's. One at a time; ends with frozen(), cancelled() or failed().
  void start(const StudyDraft& draft, const QString& history, const QString& studies, const QString& passphrase,
             study::SealCost cost = study::SealCost::Moderate);
  bool isRunning() const { return background_.isRunning(); }
  bool cancel();                       // false when the seal has begun: then it is finished, in about a second

 Q_SIGNALS:
  void progress(int done, int of);     // comparisons that were read and checked
  void sealing();                      // from here on it cannot be cancelled
  // notice: what was left undone beside the study; empty when nothing was.
  void frozen(const QString& hash, const QString& notice);
  void cancelled();
  void failed(const QString& message);

 private:
  enum class Phase { Reading, Sealing, Cancelled };
  struct Work;                         // all of it, on the other thread
  struct Outcome {
    QString hash, notice;              // no hash: cancelled
  };

  std::shared_ptr<std::atomic<Phase>> phase_;
  Background background_{this};
};

}  // namespace quantspot::ui
