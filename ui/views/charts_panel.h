// The four charts: one row below the grid, or two by two on the whole page.
#pragma once

#include "ui/views/figures.h"

#include <QFrame>

class QGridLayout;
class QVariantAnimation;

namespace quantspot::views {

class EyesChart;
class LatencyChart;
class MemoryChart;
class QualityChart;

class ChartsPanel : public QFrame {
  Q_OBJECT
 public:
  explicit ChartsPanel(QWidget* parent = nullptr);

  void setFigures(const std::vector<Figures>& figures);
  EyesChart* eyes() { return eyes_; }
  MemoryChart* memory() { return memory_; }
  LatencyChart* latency() { return latency_; }
  QualityChart* quality() { return quality_; }

  void slideIn();                 // over some 300 ms; at once when already in
  void hideAtOnce();
  void setWholePage(bool whole);  // two by two, as high as there is room
  bool isOut() const { return !isHidden(); }

 private:
  void arrange(int columns);

  MemoryChart* memory_;
  LatencyChart* latency_;
  QualityChart* quality_;
  EyesChart* eyes_;
  QGridLayout* grid_;
  QVariantAnimation* slide_;
};

}  // namespace quantspot::views
