#include "engine/pipeline/packing.h"

#include "engine/pipeline/report.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace quantspot::pipeline {

model::LinearFactory packingFactory(const quant::Policy& policy, double* seconds) {
  return [&policy, seconds](const std::string& name, const at::Tensor& weight, std::optional<at::Tensor> bias) {
    const Stopwatch watch;
    const at::ScalarType compute = quant::quantizer(policy.precision).computeType();
    const quant::Quantizer& asked = quant::quantizer(policy.precisionOf(name));
    const quant::Quantizer& quantizer = quant::quantizer(asked.precisionFor(weight.sizes()));   // the report names this one
    if (quantizer.computeType() != compute)
      throw std::invalid_argument("policy \"" + policy.text() + "\": layer " + name + " would be " + std::string(quantizer.name()) +
                                  ", whose activations have another type than those of " + policy.precision);
    if (bias) bias = bias->to(compute);
    auto linear = quantizer.linear(quantizer.pack(weight), std::move(bias));
    if (seconds) *seconds += watch.seconds();
    return linear;
  };
}

std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy) {
  return [&policy](const std::string& name, std::string_view stored, std::string_view main) {
    const std::string wanted = policy.precisionOf(name);
    if (wanted != stored && wanted != main) return false;
    return quant::quantizer(wanted).computeType() == quant::quantizer(policy.precision).computeType();   // else packing tells
  };
}

}  // namespace quantspot::pipeline
