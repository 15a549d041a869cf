// How long a comparison will take and how much memory it will need, from the reports of earlier ones. Knows precisions, no
// tiles: it says nothing about a blind screen.
#pragma once

#include "ui/models/comparison.h"

#include <QHash>

namespace quantspot::ui {

class RunEstimate {
 public:
  // Later reports replace earlier ones of the same model and precision. Samples without figures are skipped.
  void learn(const ComparisonResult& comparison);

  struct Need { double seconds = 0, peak_bytes = 0; };   // of the whole run; highest of all variants
  // Absent when no precision of this model was ever measured. An unmeasured precision counts as the mean of the measured.
  std::optional<Need> need(const QString& model, study::Task task, const QStringList& precisions, const protocol::Recipe& recipe, int tiles = 4) const;

 private:
  struct Cost { double fixed = 0, per_step_pixel = 0, peak = 0; };   // seconds, seconds, bytes
  Cost costOf(const QString& model, const QString& precision, const QStringList& among) const;

  QHash<QPair<QString, QString>, Cost> costs_;   // model, precision
};

// "about 4.1 s, peak 0.4 GiB"
QString needText(const RunEstimate::Need& need);
QString durationText(double seconds);           // "4.1 s", "2.5 min"

}  // namespace quantspot::ui
