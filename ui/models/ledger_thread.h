// A store of studies that is read and written off the window's thread: a locked file or a server out of reach holds no window up.
#pragma once

#include "study/ledger.h"
#include "ui/models/patient_call.h"

namespace quantspot::ui {

class LedgerThread : public QObject {
  Q_OBJECT
 public:
  enum class Keep { Connection, Nothing };  // between calls
  // store: as Ledger's; opened by the first call. patience_ms: for how long a call may wait on the spot for what it began.
  explicit LedgerThread(QString store, Keep keep = Keep::Connection, int patience_ms = 100)
      : store_(std::move(store)), keep_(keep), patience_(patience_ms) {}
  ~LedgerThread() override;                // waits for what was begun

  // Runs body with the open store, then done as callPatiently(). After a failure the store is opened anew by the next call.
  void begin(std::function<void(study::Ledger&)> body, Done done);
  QString store() const { return store_; }

 private:
  const QString store_;
  const Keep keep_;
  const int patience_;
  std::unique_ptr<study::Ledger> ledger_;  // made and ended on the worker's thread
  Worker worker_;
};

}  // namespace quantspot::ui
