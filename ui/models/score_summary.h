// "You: 17/24, 71 % (chance 25 %, 95 % CI 51–85)": the running hit rate per task, from the store; follows its changes.
// What counts as a hit, and what the interval leaves out, is said in study/hit_rate.h.
#pragma once

#include "study/hit_rate.h"
#include "study/study_store.h"

namespace quantspot::ui {

class ScoreSummary : public QObject {
  Q_OBJECT
 public:
  explicit ScoreSummary(study::StudyStore* store, QObject* parent = nullptr);   // store is not owned

  study::HitRate hitRate(study::Task task) const;
  QString text(study::Task task) const;           // "" before the first answer

 Q_SIGNALS:
  void changed();

 private:
  void reload();

  study::StudyStore* store_;
  std::vector<study::Tally> tallies_;
};

}  // namespace quantspot::ui
