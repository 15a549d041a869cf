#include "ui/models/score_summary.h"

namespace quantspot::ui {

ScoreSummary::ScoreSummary(study::StudyStore* store, QObject* parent) : QObject(parent), store_(store) {
  connect(store, &study::StudyStore::changed, this, &ScoreSummary::reload);
  reload();
}

void ScoreSummary::reload() {
  tallies_ = store_->tallies();
  Q_EMIT changed();
}

study::HitRate ScoreSummary::hitRate(study::Task task) const { return study::hitRate(task, tallies_); }

QString ScoreSummary::text(study::Task task) const {
  const QString rate = hitRate(task).text();
  return rate.isEmpty() ? rate : tr("You: %1").arg(rate);
}

}  // namespace quantspot::ui
