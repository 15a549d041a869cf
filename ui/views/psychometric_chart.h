// The share of right answers against bits per weight, measured and fitted.
#pragma once

#include "ui/views/card.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QLineF>

#include <vector>

class QComboBox;
class QCPItemText;

namespace quantspot::views {

class PsychometricChart : public PlotCard {
  Q_OBJECT
 public:
  explicit PsychometricChart(const QString& title, QWidget* parent = nullptr);
  void setCurves(const QJsonArray& curves);   // "psychometric" of an analysis

 protected:
  void draw() override;
  void forget() override { names_.clear(), taken_.clear(); }
  bool hasData() const override { return !curve().isEmpty(); }
  QString tipAt(QPointF position) const override;

 private:
  const QJsonObject curve() const;            // of the chosen kind of trial
  void drawPoints();
  void drawFit(double from, double to);
  void drawMarks(double from, double to);     // threshold and just noticeable difference with their intervals

  // "what" beside a place of the chart.
  void addName(const QString& what, QPointF at, double radius, const QColor& color);
  void placeNames();                          // over neither ranges, intervals nor one another, if there is room

  struct Name {
    QCPItemText* text;
    QPointF at;                               // in coordinates of the axes, as `taken_`
    double radius;
  };

  QJsonArray curves_;
  std::vector<Name> names_;
  std::vector<QLineF> taken_;                 // ranges and intervals
  QComboBox* choice_;
};

}  // namespace quantspot::views
