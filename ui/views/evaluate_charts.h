// The charts of an evaluation: what report.json holds, with intervals. Points lead to their pictures.
#pragma once

#include <nlohmann/json.hpp>

#include <QWidget>

#include <vector>

class QComboBox;
class QCPAxis;
class QCPItemText;
class QCustomPlot;
class QLabel;

namespace quantspot::views {

class EvaluateCharts : public QWidget {
  Q_OBJECT
 public:
  enum Plot { Quality, Categories, Prompts, Steps, Memory, Growth, PlotCount };

  explicit EvaluateCharts(QWidget* parent = nullptr);

  void setReport(const nlohmann::json& report);      // null: empty charts
  QCustomPlot* plot(Plot which) { return plots_[which]; }
  QComboBox* figure() { return figure_; }

 Q_SIGNALS:
  void comparisonChosen(int row);                    // a point was pressed: its comparison

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Mark { Plot plot; double x, y; int comparison; QString tip; };   // comparison: -1 when it is of many
  struct Name { QCPItemText* text; double x, y, radius, low, high; };   // of a point of Quality
  struct Series { std::string precision; std::vector<std::array<double, 2>> points; std::vector<std::pair<double, nlohmann::json>> intervals = {}; };

  void redraw();
  void clear(Plot which, const QString& x, const QString& y);
  void style(QCPAxis* axis);
  void drawQuality();
  void placeNamesOfQuality();
  QString legend() const;
  QColor colorOf(const nlohmann::json& precision) const;   // its family's; further ones of a family are paler
  void tellInPlace(Plot which, const QString& line);
  void drawCategories();
  void drawPrompts();
  void drawLines(Plot which, const std::vector<Series>& all, const QString& x, const QString& y);
  std::vector<Series> series(const char* rows, const char* place) const;
  std::vector<Series> memorySeries() const;
  void addPoint(Plot which, double x, double y, const QColor& color, double size, bool filled);
  void addInterval(Plot which, double x, const nlohmann::json& ci, const QColor& color);
  void fit(Plot which, bool fromZero);
  const Mark* markAt(QObject* plot, const QPointF& at) const;
  std::string quality() const;
  void fillFigures();

  nlohmann::json report_;
  QComboBox* figure_;
  QLabel* note_;
  std::vector<QCustomPlot*> plots_;
  std::vector<Mark> marks_;
  std::vector<Name> names_;
};

}  // namespace quantspot::views
