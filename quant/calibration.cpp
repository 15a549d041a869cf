#include "quant/calibration.h"

namespace quantspot::quant {

CalibratedLinear* calibratedLinear(Linear& layer) { return dynamic_cast<CalibratedLinear*>(&layer); }

Calibration::Calibration(std::vector<CalibratedLinear*> layers) : layers_(std::move(layers)) {
  for (CalibratedLinear* layer : layers_) {
    layer->setScales({.quantizeOutput = layer->scales().quantizeOutput});
    layer->watch(true);
  }
}

Calibration::~Calibration() {
  for (CalibratedLinear* layer : layers_) layer->watch(false);
}

}  // namespace quantspot::quant
