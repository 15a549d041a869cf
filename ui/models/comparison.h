// What the runner makes and the other models show: study's values with decoded pixels.
#pragma once

#include "study/types.h"
#include "ui/client/engine_client.h"

#include <QImage>

namespace quantspot::ui {

struct SampleResult {
  study::Sample sample;
  QImage image;                       // null when the variant failed
};

struct ComparisonResult {
  qint64 id = 0;                      // 0 until stored
  QDateTime created;
  QString model;
  protocol::Recipe recipe;
  std::vector<SampleResult> samples;
  QByteArray startPicture = {};       // PNG that image to image started from; empty: none

  // Index of the first bf16 picture, or -1.
  int reference() const;
};

// Why these samples must not be compared (another noise, recipe, model or engine than the others); empty when they may.
QString mismatch(const ComparisonResult& result);
// The decoded picture, or a null one with the reason: no PNG, or a single colour (a numerical breakdown, not a picture).
QImage decodePicture(const QByteArray& png, QString& reason);

study::Comparison toStored(const ComparisonResult& result);
ComparisonResult fromStored(const study::Comparison& comparison);
QJsonObject toQt(const nlohmann::json& json);

}  // namespace quantspot::ui
