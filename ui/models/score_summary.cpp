#include "ui/models/score_summary.h"

#include "ui/models/precision_names.h"

namespace quantspot::ui {

ScoreSummary::ScoreSummary(study::StudyStore* store, QObject* parent) : QObject(parent), store_(store) {
  connect(store, &study::StudyStore::changed, this, &ScoreSummary::reload);
  reload();
}

void ScoreSummary::reload() {
  tallies_ = store_->tallies();
  rated_ = store_->ratings();
  Q_EMIT changed();
}

study::HitRate ScoreSummary::hitRate(study::Task task) const { return study::hitRate(task, tallies_); }

std::vector<study::RatingMean> ScoreSummary::ratings(const QString& model) const { return study::ratingMeans(rated_, model); }

QString ScoreSummary::text(study::Task task, const QString& model) const {
  if (task == study::Task::Rate) {
    QStringList parts;
    for (const study::RatingMean& one : ratings(model)) parts << tr("%1 %2, N = %3").arg(shortName(one.precision),
        study::gradeText(one.mean)).arg(one.mean.n);
    return parts.isEmpty() ? QString() : tr("You: %1").arg(parts.join(QStringLiteral(" · ")));
  }
  const QString rate = hitRate(task).text();
  return rate.isEmpty() ? rate : tr("You: %1").arg(rate);
}

QString ScoreSummary::tip(study::Task task, const QString& model) const {
  if (task != study::Task::Rate) return study::hitRateMethod();
  QStringList lines{tr("Mean of your ratings of this model's pictures, 1 bad to 5 excellent, with 95 % interval (Wilson's on the scale, "
      "with Student's t)")};
  for (const study::RatingMean& one : ratings(model)) {
    const QString mean = tr("%1: %2, N = %3").arg(one.precision, study::gradeText(one.mean)).arg(one.mean.n);
    lines << (one.change ? tr("%1; against bf16 in the same comparisons %2, N = %3").arg(mean, study::changeText(*one.change)).arg(one.change->n)
        : mean);
  }
  return lines.join(u'\n');
}

}  // namespace quantspot::ui
