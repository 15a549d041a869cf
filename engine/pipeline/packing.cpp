#include "engine/pipeline/packing.h"

#include "engine/pipeline/report.h"

#include <ATen/ATen.h>

namespace quantspot::pipeline {

const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape) {
  return quant::quantizer(quant::quantizer(policy.precisionOf(layer)).precisionFor(shape));
}

model::LinearFactory packingFactory(const quant::Policy& policy, double* seconds) {
  return [&policy, seconds](const std::string& name, const at::Tensor& weight, std::optional<at::Tensor> bias) {
    const Stopwatch watch;
    const quant::Quantizer& quantizer = quantizerFor(policy, name, weight.sizes());
    if (bias) bias = bias->to(quantizer.computeType());
    auto linear = quantizer.linear(quantizer.pack(weight), std::move(bias));
    if (seconds) *seconds += watch.seconds();
    return linear;
  };
}

}  // namespace quantspot::pipeline
