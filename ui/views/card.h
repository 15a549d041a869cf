// A figure with its title and one line on how to read it; how it was obtained is behind "how?" in the title row.
#pragma once

#include <QWidget>

class QCPAxis;
class QCustomPlot;
class QHBoxLayout;
class QLabel;
class QToolButton;
class QVBoxLayout;

namespace quantspot::views {

class Card : public QWidget {
  Q_OBJECT
 public:
  explicit Card(const QString& title, QWidget* parent = nullptr);

  void setNote(const QString& note);
  QString note() const;
  void setMethod(const QString& method);   // empty: no link
  QString method() const;
  void addToTitle(QWidget* widget);        // at the right of the title
  void wrapNote();                         // long notes take several lines instead of being cut

 protected:
  void setContent(QWidget* content);
  QFont smallFont() const;

 private:
  QHBoxLayout* titleRow_;
  QVBoxLayout* column_;
  QLabel *title_, *note_;
  QToolButton* method_;
};

// A card around a plot in the colours of the theme.
class PlotCard : public Card {
  Q_OBJECT
 public:
  explicit PlotCard(const QString& title, QWidget* parent = nullptr);
  QCustomPlot* plot() const { return plot_; }

 protected:
  // Called on an empty, styled plot whenever the data or the theme change, if there is anything to draw.
  virtual void draw() = 0;
  virtual bool hasData() const = 0;
  // Called before the items of the last drawing go.
  virtual void forget() {}
  // What the mouse tells at this place of the plot; empty for nothing.
  virtual QString tipAt(QPointF) const { return {}; }
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void redraw();

 private:
  void styleAxis(QCPAxis* axis);

  QCustomPlot* plot_;
};

}  // namespace quantspot::views
