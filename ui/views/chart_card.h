// A chart with its title and one line on how to read it, in the colours of the theme.
#pragma once

#include "ui/views/figures.h"

#include <QWidget>

class QCPAbstractPlottable;
class QCPAxis;
class QCPBars;
class QCustomPlot;
class QHBoxLayout;
class QLabel;

namespace quantspot::views {

class ChartCard : public QWidget {
  Q_OBJECT
 public:
  explicit ChartCard(const QString& title, QWidget* parent = nullptr);

  void setFigures(std::vector<Figures> figures);
  const std::vector<Figures>& figures() const { return figures_; }
  QCustomPlot* plot() const { return plot_; }

 protected:
  // Called on an empty, styled plot whenever the figures or the theme change.
  virtual void draw() = 0;
  // Called before the items of the last drawing go.
  virtual void forget() {}
  // What the mouse tells at this place of the plot; empty for nothing.
  virtual QString tipAt(QPointF) const { return {}; }
  void setNote(const QString& note);
  void addToTitle(QWidget* widget);      // at the right of the title
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void redraw();

 private:
  void styleAxis(QCPAxis* axis);

  QHBoxLayout* titleRow_;
  QLabel *title_, *note_;
  QCustomPlot* plot_;
  std::vector<Figures> figures_;
};

// One segment of a stacked bar, on top of `below` (null: on the axis), for one variant.
QCPBars* addSegment(QCustomPlot* plot, QCPAxis* keyAxis, QCPAxis* valueAxis, QCPBars* below, double key, double value, const QColor& color);
// Rich text: the unit, and the four phases with their tints in grey.
QString phaseLegend(const QString& unit);
// The tints of one family by which phases are told apart: load the lightest, decode the darkest.
QColor phaseTint(const QColor& family, int phase);

}  // namespace quantspot::views
