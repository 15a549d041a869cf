// "You: 17/24, 71 % (chance 25 %, 95 % CI 51–85)": the running hit rate per task, or mean grades per precision; from the store,
// follows its changes.
// What counts as a hit, and what the interval leaves out, is said in study/hit_rate.h.
#pragma once

#include "study/hit_rate.h"
#include "study/ratings.h"
#include "study/study_store.h"

namespace quantspot::ui {

class ScoreSummary : public QObject {
  Q_OBJECT
 public:
  explicit ScoreSummary(study::StudyStore* store, QObject* parent = nullptr);   // store is not owned

  study::HitRate hitRate(study::Task task) const;
  std::vector<study::RatingMean> ratings(const QString& model) const;
  // "" before the first answer. model: whose grades, for Rate; the others are over all models.
  QString text(study::Task task, const QString& model = {}) const;
  // How it was obtained; for Rate also each precision's difference to bf16 in the same trials, a line each.
  QString tip(study::Task task, const QString& model = {}) const;

 Q_SIGNALS:
  void changed();

 private:
  void reload();

  study::StudyStore* store_;
  std::vector<study::Tally> tallies_;
  std::vector<study::RatedTile> rated_;
};

}  // namespace quantspot::ui
