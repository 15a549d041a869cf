#include "ui/models/station_threads.h"

namespace quantspot::ui {

StationThreads::StationThreads(const QString& store, const QString& journal, int patience_ms) : patience_(patience_ms) {
  using study::Station;
  keeper_.get([&] { return (writing_ = std::make_unique<Station>(store, journal, Station::Bringing::ByAnother)) != nullptr; });
  state_ = courier_.get([&] {
    bringing_ = std::make_unique<Station>(store, journal);
    return stateNow();
  });
}

StationThreads::~StationThreads() {
  keeper_.post([this] { writing_.reset(); });
  courier_.post([this] { bringing_.reset(); });
}

void StationThreads::begin(Where where, std::function<void(study::Station&)> body, Done done) {
  struct Outcome {
    std::exception_ptr error;
    std::binary_semaphore ready{0};
    bool told = false;                     // on this object's thread
  };
  auto outcome = std::make_shared<Outcome>();
  const auto tell = [outcome, done = std::move(done)] {
    if (!std::exchange(outcome->told, true)) done(outcome->error);
  };
  const bool journal = where == Where::Journal;
  (journal ? keeper_ : courier_).post([this, journal, outcome, tell, body = std::move(body)] {
    try {
      body(journal ? *writing_ : *bringing_);
    } catch (...) {
      outcome->error = std::current_exception();
    }
    outcome->ready.release();
    QMetaObject::invokeMethod(this, tell, Qt::QueuedConnection);
  });
  if (outcome->ready.try_acquire_for(std::chrono::milliseconds(patience_))) tell();
}

StationThreads::State StationThreads::stateNow() {
  return {bringing_->online(), bringing_->waiting(), bringing_->refused(), bringing_->lastProblem(), bringing_->lastWarning()};
}

void StationThreads::deliver(bool at_once) {
  again_ = bringing_now_;
  if (std::exchange(bringing_now_, true)) return;
  auto now = std::make_shared<State>(state_);
  begin(Where::Store, [this, now, at_once](study::Station& station) {
    at_once ? station.reconcile() : station.attempt();
    *now = stateNow();
  }, [this, now](std::exception_ptr) {     // a journal that cannot be read is said when it is written
    state_ = *now;
    bringing_now_ = false;
    Q_EMIT delivered();
    if (std::exchange(again_, false)) deliver();
  });
}

}  // namespace quantspot::ui
