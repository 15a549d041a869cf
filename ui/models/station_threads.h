// A station whose disk and store are waited for off the window's thread: one thread writes the journal, another reaches the store.
#pragma once

#include "study/station.h"
#include "ui/models/patient_call.h"

namespace quantspot::ui {

class StationThreads : public QObject {
  Q_OBJECT
 public:
  // patience_ms: for how long a call may wait on the spot for what it began. Throws study::Error when the journal cannot be opened; the store is
  // reached for by the first call that needs it.
  StationThreads(const QString& store, const QString& journal, int patience_ms);
  ~StationThreads() override;              // waits for what was begun

  // Runs body with the station that reaches the store, and waits for its result; throws what it throws.
  template <class Body>
  auto ask(Body body) {
    return courier_.get([&] { return body(bringing()); });
  }

  // Journal: writes to this computer's disk, whatever the store does. Store: what needs the server.
  enum class Where { Journal, Store };
  // Runs body there, then done (with what body threw, or null) on this object's thread: before begin() returns when it took no longer than the
  // patience, else later.
  void begin(Where where, std::function<void(study::Station&)> body, Done done);

  // Begins to bring what waits in the journal; delivered() follows, before deliver() returns or later, as with begin(). at_once: also where an attempt
  // failed a moment ago.
  void deliver(bool at_once = false);

  // As of the last delivery.
  struct State {
    bool online = true;
    int waiting = 0, refused = 0;
    QString problem, warning;
  };
  const State& state() const { return state_; }

 Q_SIGNALS:
  void delivered();

 private:
  State stateNow();                        // on the courier's thread
  study::Station& bringing();              // the same

  const QString store_, journal_;
  const int patience_;
  std::unique_ptr<study::Station> writing_, bringing_;   // each made and ended on its thread
  Worker keeper_, courier_;
  State state_;
  bool bringing_now_ = false, again_ = false;
};

}  // namespace quantspot::ui
