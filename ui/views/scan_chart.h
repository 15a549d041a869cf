// How much each layer (or block) suffers from a precision: a bar each, in the order of the model.
#pragma once

#include "engine/protocol/messages.h"

#include <QWidget>

class QCustomPlot;

namespace quantspot::views {

class ScanChart : public QWidget {
  Q_OBJECT
 public:
  explicit ScanChart(QWidget* parent = nullptr);

  void setGroups(std::vector<protocol::ScannedGroup> groups);
  QCustomPlot* plot() { return plot_; }
  int groupAt(QPointF position) const;            // index, or -1

 Q_SIGNALS:
  void chosen(const QStringList& layers);         // a bar was pressed

 protected:
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void draw();

  QCustomPlot* plot_;
  std::vector<protocol::ScannedGroup> groups_;
};

}  // namespace quantspot::views
