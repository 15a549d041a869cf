// Quality against memory: one point per variant, as large as its time is long, and the line of those that no other beats.
#pragma once

#include "ui/views/chart_card.h"

class QCPItemText;
class QComboBox;

namespace quantspot::views {

struct QualityPoint { double memory = 0, quality = 0; int variant = 0; };   // memory in MiB

// The points that no other one beats (less memory and at least the quality, or as much and more), by memory.
std::vector<QualityPoint> paretoFront(std::vector<QualityPoint> points);

class QualityChart : public ChartCard {
  Q_OBJECT
 public:
  enum class Measure { Clip, Psnr, Ssim };

  explicit QualityChart(QWidget* parent = nullptr);
  void setMeasure(Measure measure);
  const QComboBox* choice() const { return choice_; }
  Measure measure() const { return measure_; }

 protected:
  void draw() override;
  void forget() override { labels_.clear(); }
  QString tipAt(QPointF position) const override;

 private:
  std::vector<QualityPoint> points() const;
  void nameClip();                         // by what scored: "CLIP-tiny"
  void drawFront(const std::vector<QualityPoint>& points);
  void drawPoints(const std::vector<QualityPoint>& points);
  void placeLabels();                      // where they hide neither points nor each other, if there is room

  struct Label { QCPItemText* text; QPointF at; double radius; };   // at: memory and quality
  std::vector<Label> labels_;
  Measure measure_ = Measure::Clip;
  QComboBox* choice_;
};

}  // namespace quantspot::views
