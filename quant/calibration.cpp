#include "quant/calibration.h"

#include <cmath>
#include <stdexcept>

namespace quantspot::quant {

CalibratedLinear* calibratedLinear(Linear& layer) { return dynamic_cast<CalibratedLinear*>(&layer); }

void CalibratedLinear::setScales(const ActivationScales& scales) {
  for (const float scale : {scales.input, scales.output})
    if (!(scale >= 0) || !std::isfinite(scale))
      throw std::invalid_argument("activation scale " + std::to_string(scale) + " of a quanto-int8a8 layer; calibrate with other prompts");
  state_->scales = scales;
}

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
