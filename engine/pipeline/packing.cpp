#include "engine/pipeline/packing.h"

#include "engine/pipeline/report.h"
#include "quant/plain.h"

#include <ATen/ATen.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>

namespace quantspot::pipeline {
namespace {

// Exact because it is made: a layer of zeros is packed once for every shape, of which a model has few.
std::int64_t layerBytes(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::int64_t, std::int64_t, bool>, std::int64_t> known;
  const std::lock_guard lock(mutex);
  const auto [found, isNew] = known.try_emplace({std::string(quantizer.name()), shape[0], shape[1], bias}, 0);
  if (isNew) {
    const at::ScalarType type = quantizer.computeType();
    const auto shift = bias ? std::optional(at::zeros({shape[0]}, type)) : std::nullopt;
    found->second = quantizer.linear(quantizer.pack(at::zeros(shape, type)), shift)->bytes();
  }
  return found->second;
}

class MeasuredLinear final : public quant::Linear {
 public:
  MeasuredLinear(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias)
      : quantizer_(quantizer), out_(shape[0]), in_(shape[1]), bytes_(layerBytes(quantizer, shape, bias)) {}

  at::Tensor forward(const at::Tensor&) const override { throw std::logic_error("a layer without a weight was asked to multiply"); }
  std::string_view precision() const override { return quantizer_.name(); }
  std::int64_t bytes() const override { return bytes_; }
  std::int64_t inFeatures() const override { return in_; }
  std::int64_t outFeatures() const override { return out_; }

 private:
  const quant::Quantizer& quantizer_;
  std::int64_t out_, in_, bytes_;
};

}  // namespace

const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape) {
  return quant::quantizer(quant::quantizer(policy.precisionOf(layer)).precisionFor(shape));
}

model::LinearFactory packingFactory(const quant::Policy& policy, PackingNotes& notes) {
  return [&policy, &notes](const std::string& name, const at::Tensor& weight, std::optional<at::Tensor> bias) {
    const Stopwatch watch;
    const std::string asked = policy.precisionOf(name);
    const quant::Quantizer* quantizer = &quantizerFor(policy, name, weight.sizes());
    if (quantizer->name() != asked) notes.fallbacks.push_back({name, asked, std::string(quantizer->name()), "the format cannot hold this shape"});
    quant::QuantizedTensor packed;
    try {
      packed = quantizer->pack(weight);
    } catch (const std::invalid_argument& refused) {
      quantizer = &quant::quantizer(quant::plainPrecision(quantizer->computeType()));
      packed = quantizer->pack(weight);  // throws for what nothing can hold
      notes.fallbacks.push_back({name, asked, std::string(quantizer->name()), refused.what()});
    }
    if (bias) bias = bias->to(quantizer->computeType());
    auto linear = quantizer->linear(std::move(packed), std::move(bias));
    notes.seconds += watch.seconds();
    return linear;
  };
}

model::LinearFactory measuringFactory(const quant::Policy& policy) {
  return [&policy](const std::string& name, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
    return std::make_unique<MeasuredLinear>(quantizerFor(policy, name, weight.sizes()), weight.sizes(), bias.has_value());
  };
}

std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy) {
  return [&policy](const std::string& name, std::string_view stored, std::string_view main) {
    const std::string wanted = policy.precisionOf(name);
    return wanted == stored || wanted == main;
  };
}

}  // namespace quantspot::pipeline
