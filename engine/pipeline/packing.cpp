#include "engine/pipeline/packing.h"

#include "engine/pipeline/report.h"
#include "quant/plain.h"

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <tuple>

namespace quantspot::pipeline {
namespace {

quant::LayerKind kindOf(at::IntArrayRef shape) { return shape.size() == 4 ? quant::LayerKind::Convolution : quant::LayerKind::Linear; }

std::vector<std::int64_t> flat(at::IntArrayRef shape) { return {shape[0], std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>())}; }

quant::QuantizedTensor packWith(const quant::Quantizer& quantizer, const at::Tensor& weight) {
  return weight.dim() == 4 ? quantizer.packConvolution(weight) : quantizer.pack(weight);
}

struct Packed {
  const quant::Quantizer* quantizer;
  quant::QuantizedTensor weight;
};

Packed packLayer(const model::LayerWeight& layer, const quant::Policy& policy, PackingNotes& notes) {
  const std::string asked = policy.precisionOf(layer.name, kindOf(layer.shape));
  const quant::Quantizer& quantizer = quantizerFor(policy, layer.name, layer.shape);
  if (quantizer.name() != asked) notes.fallbacks.push_back({layer.name, asked, std::string(quantizer.name()), "the format cannot hold this shape"});
  const at::Tensor weight = layer.read();
  try {
    return {&quantizer, packWith(quantizer, weight)};
  } catch (const std::invalid_argument& refused) {
    const quant::Quantizer& plain = quant::quantizer(quant::plainPrecision(quantizer.computeType()));
    Packed packed{&plain, packWith(plain, weight)};  // throws for what nothing can hold
    notes.fallbacks.push_back({layer.name, asked, std::string(plain.name()), refused.what()});
    return packed;
  }
}

std::unique_ptr<quant::Linear> packLinear(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Policy& policy, PackingNotes& notes) {
  const Stopwatch watch;
  Packed packed = packLayer(layer, policy, notes);
  if (bias) bias = bias->to(packed.quantizer->computeType());
  auto linear = packed.quantizer->linear(std::move(packed.weight), std::move(bias));
  notes.seconds += watch.seconds();
  return linear;
}

// A convolution that nothing is asked of is torch's own.
bool staysPlain(const model::LayerWeight& layer, const quant::Policy& policy) {
  return policy.precisionOf(layer.name, kindOf(layer.shape)) == quant::plainPrecision(quant::quantizer(policy.precision).computeType());
}

std::unique_ptr<quant::Convolution> packConvolution(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& options,
                                                    const quant::Policy& policy, PackingNotes& notes) {
  if (staysPlain(layer, policy)) return nullptr;
  const Stopwatch watch;
  Packed packed = packLayer(layer, policy, notes);
  auto convolution = std::make_unique<quant::Conv2d>(*packed.quantizer, std::move(packed.weight), layer.shape, std::move(bias), options);
  notes.seconds += watch.seconds();
  return convolution;
}

// Exact because it is made: a layer of zeros is packed once for every shape, of which a model has few.
std::int64_t layerBytes(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::vector<std::int64_t>, bool>, std::int64_t> known;
  const std::lock_guard lock(mutex);
  const auto [found, isNew] = known.try_emplace({std::string(quantizer.name()), shape.vec(), bias}, 0);
  if (isNew) {
    const at::ScalarType type = quantizer.computeType();
    const at::Tensor zeros = at::zeros(shape, type);
    const auto shift = bias ? std::optional(at::zeros({shape[0]}, type)) : std::nullopt;
    found->second = shape.size() == 4 ? quant::Conv2d(quantizer, zeros, shift).bytes() : quantizer.linear(quantizer.pack(zeros), shift)->bytes();
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

class MeasuredConvolution final : public quant::Convolution {
 public:
  MeasuredConvolution(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias) : quantizer_(quantizer), bytes_(layerBytes(quantizer, shape, bias)) {}

  at::Tensor forward(const at::Tensor&) const override { throw std::logic_error("a layer without a weight was asked to convolve"); }
  std::string_view precision() const override { return quantizer_.name(); }
  std::int64_t bytes() const override { return bytes_; }

 private:
  const quant::Quantizer& quantizer_;
  std::int64_t bytes_;
};

}  // namespace

const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape) {
  return quant::quantizer(quant::quantizer(policy.precisionOf(layer, kindOf(shape))).precisionFor(flat(shape)));
}

void packLayers(model::LoadOptions& options, const quant::Policy& policy, PackingNotes& notes) {
  options.linear = [&](const model::LayerWeight& layer, std::optional<at::Tensor> bias) { return packLinear(layer, std::move(bias), policy, notes); };
  options.convolution = [&](const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how) {
    return packConvolution(layer, std::move(bias), how, policy, notes);
  };
}

void measureLayers(model::LoadOptions& options, const quant::Policy& policy) {
  options.linear = [&](const model::LayerWeight& layer, const std::optional<at::Tensor>& bias) {
    return std::make_unique<MeasuredLinear>(quantizerFor(policy, layer.name, layer.shape), layer.shape, bias.has_value());
  };
  options.convolution = [&](const model::LayerWeight& layer, const std::optional<at::Tensor>& bias, const quant::Conv2dOptions&) -> std::unique_ptr<quant::Convolution> {
    if (staysPlain(layer, policy)) return nullptr;
    return std::make_unique<MeasuredConvolution>(quantizerFor(policy, layer.name, layer.shape), layer.shape, bias.has_value());
  };
}

std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy) {
  return [&policy](const std::string& name, std::string_view stored, std::string_view main) {
    const std::string wanted = policy.precisionOf(name);
    return wanted == stored || wanted == main;
  };
}

}  // namespace quantspot::pipeline
