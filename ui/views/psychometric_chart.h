// The share of right answers against bits per weight, measured and fitted.
#pragma once

#include "ui/views/card.h"

#include <QJsonArray>
#include <QJsonObject>

class QComboBox;

namespace quantspot::views {

class PsychometricChart : public PlotCard {
  Q_OBJECT
 public:
  explicit PsychometricChart(const QString& title, QWidget* parent = nullptr);
  void setCurves(const QJsonArray& curves);   // "psychometric" of an analysis

 protected:
  void draw() override;
  bool hasData() const override { return !curve().isEmpty(); }
  QString tipAt(QPointF position) const override;

 private:
  const QJsonObject curve() const;            // of the chosen kind of trial
  void drawPoints();
  void drawFit(double from, double to);
  void drawMarks(double from, double to);     // threshold and just noticeable difference with their intervals

  QJsonArray curves_;
  QComboBox* choice_;
};

}  // namespace quantspot::views
