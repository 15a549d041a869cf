#include "ui/models/station_threads.h"

namespace quantspot::ui {

StationThreads::StationThreads(const QString& store, const QString& journal, int patience_ms)
    : store_(store), journal_(journal), patience_(patience_ms) {
  using study::Station;
  keeper_.get([&] { return (writing_ = std::make_unique<Station>(store, journal, Station::Bringing::ByAnother)) != nullptr; });
}

study::Station& StationThreads::bringing() {
  if (!bringing_) bringing_ = std::make_unique<study::Station>(store_, journal_);
  return *bringing_;
}

StationThreads::~StationThreads() {
  keeper_.post([this] { writing_.reset(); });
  courier_.post([this] { bringing_.reset(); });
}

void StationThreads::begin(Where where, std::function<void(study::Station&)> body, Done done) {
  const bool journal = where == Where::Journal;
  callPatiently(journal ? keeper_ : courier_, this, patience_, [this, journal, body = std::move(body)] { body(journal ? *writing_ : bringing()); },
                std::move(done));
}

StationThreads::State StationThreads::stateNow() {
  study::Station& station = bringing();
  return {station.online(), station.waiting(), station.refused(), station.lastProblem(), station.lastWarning()};
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
