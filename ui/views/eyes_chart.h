// What the user saw: which precision was taken for which, over all answered trials, and the hit rate with its interval; or, after ratings, the mean
// grade of each precision.
#pragma once

#include "ui/models/score_summary.h"

#include <QWidget>

#include <vector>

namespace quantspot::views {

class EyesChart : public QWidget {
  Q_OBJECT
 public:
  explicit EyesChart(QWidget* parent = nullptr);

  // While there are some, they are shown instead of the rest.
  void setRatings(std::vector<study::RatingMean> means);
  const std::vector<study::RatingMean>& ratings() const { return ratings_; }
  void setHitRate(const study::HitRate& rate);
  // Rows: the truth; columns: the guess; both in this order, without those that never occurred.
  void setConfusion(QStringList order, std::vector<study::ConfusionCell> counts);
  int count(const QString& truth, const QString& guess) const;
  QStringList order() const { return order_; }
  QString tipAt(QPoint at) const;                   // the rate's says how it is counted

 protected:
  void paintEvent(QPaintEvent*) override;
  bool event(QEvent* event) override;               // tips
  QSize minimumSizeHint() const override { return {200, 150}; }

 private:
  void paintRate(QPainter& painter, QRectF area) const;
  void paintMatrix(QPainter& painter, QRectF area) const;
  void paintRatings(QPainter& painter, QRectF area) const;
  QRectF cellsArea(QRectF area) const;
  QRectF matrixArea() const;

  std::vector<study::RatingMean> ratings_;
  study::HitRate rate_;
  QStringList order_;
  std::vector<study::ConfusionCell> counts_;
};

}  // namespace quantspot::views
