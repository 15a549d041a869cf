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

// What loading packs with, of one part of a model.
struct Packer {
  const quant::Policy& policy;
  PackingNotes& notes;
  PackedSet* set;
  at::Device device;

  Packed pack(const model::LayerWeight& layer) const {
    if (set)
      if (auto found = set->find(layer.name, layer.shape)) {
        const quant::Quantizer& quantizer = quant::quantizer(found->weight.precision);
        note(layer.name, found->asked, quantizer, found->why);
        for (auto& [name, part] : found->weight.parts) part = part.to(device);
        return {&quantizer, std::move(found->weight)};
      }
    PackedSet::Layer made = packAnew(layer);
    const quant::Quantizer& quantizer = quant::quantizer(made.weight.precision);
    note(layer.name, made.asked, quantizer, made.why);
    if (set) set->add(layer.name, made);
    return {&quantizer, std::move(made.weight)};
  }

 private:
  PackedSet::Layer packAnew(const model::LayerWeight& layer) const {
    const std::string asked = policy.precisionOf(layer.name, kindOf(layer.shape));
    const quant::Quantizer& quantizer = quantizerFor(policy, layer.name, layer.shape);
    const at::Tensor weight = layer.read();
    try {
      return {packWith(quantizer, weight), asked, quantizer.name() == asked ? "" : "the format cannot hold this shape"};
    } catch (const std::invalid_argument& refused) {
      const quant::Quantizer& plain = quant::quantizer(quant::plainPrecision(quantizer.computeType()));
      return {packWith(plain, weight), asked, refused.what()};   // throws for what nothing can hold
    }
  }

  void note(const std::string& layer, const std::string& asked, const quant::Quantizer& used, const std::string& why) const {
    if (!why.empty()) notes.fallbacks.push_back({layer, asked, std::string(used.name()), why});
  }
};

std::unique_ptr<quant::Linear> packLinear(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const Packer& packer) {
  const Stopwatch watch;
  Packed packed = packer.pack(layer);
  if (bias) bias = bias->to(packed.quantizer->computeType());
  auto linear = packed.quantizer->linear(std::move(packed.weight), std::move(bias));
  packer.notes.seconds += watch.seconds();
  return linear;
}

// A convolution that nothing is asked of is torch's own.
bool staysPlain(const model::LayerWeight& layer, const quant::Policy& policy) {
  return policy.precisionOf(layer.name, kindOf(layer.shape)) == quant::plainPrecision(quant::quantizer(policy.precision).computeType());
}

std::unique_ptr<quant::Convolution> packConvolution(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& options,
                                                    const Packer& packer) {
  if (staysPlain(layer, packer.policy)) return nullptr;
  const Stopwatch watch;
  Packed packed = packer.pack(layer);
  auto convolution = std::make_unique<quant::Conv2d>(*packed.quantizer, std::move(packed.weight), layer.shape, std::move(bias), options);
  packer.notes.seconds += watch.seconds();
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

void packLayers(model::LoadOptions& options, const quant::Policy& policy, PackingNotes& notes, PackedSet* packed) {
  const Packer packer{policy, notes, packed, options.device};
  options.linear = [=](const model::LayerWeight& layer, std::optional<at::Tensor> bias) { return packLinear(layer, std::move(bias), packer); };
  options.convolution = [=](const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how) {
    return packConvolution(layer, std::move(bias), how, packer);
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
