#include "engine/pipeline/packing.h"

#include "engine/model/folder.h"
#include "engine/model/ops.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/pinned.h"
#include "engine/pipeline/report.h"
#include "quant/gguf.h"
#include "quant/plain.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

std::vector<std::int64_t> flat(at::IntArrayRef shape) {
  return {shape[0], std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>())};
}

quant::QuantizedTensor packWith(const quant::Quantizer& quantizer, const at::Tensor& weight) {
  return weight.dim() == 4 ? quantizer.packConvolution(weight) : quantizer.pack(weight);
}

struct Packed {
  const quant::Quantizer* quantizer;
  quant::QuantizedTensor weight;
};

// What the cache has of it, on the device.
std::optional<PackedSet::Layer> kept(const model::LayerWeight& layer, const std::shared_ptr<PackedSet>& set, const at::Device& device) {
  auto found = set ? set->find(layer.name, layer.shape) : std::nullopt;
  if (found)
    for (auto& [name, part] : found->weight.parts) part = part.to(device);
  return found;
}

// Where a layer's weight is while the layer is away.
struct Waiting {
  std::function<quant::QuantizedTensor()> fetch;   // on the device
  std::function<void()> willNeed = {};
};

// What loading packs with, of one part of a model.
struct Packer {
  const quant::Policy& policy;
  PackingNotes& notes;
  std::shared_ptr<PackedSet> set;
  at::Device device;
  std::shared_ptr<LayerStream> stream;
  std::shared_ptr<PinnedMemory> pinned = std::make_shared<PinnedMemory>();
  std::shared_ptr<std::int64_t> left = std::make_shared<std::int64_t>(0);   // bytes of layers that went since the heap was trimmed

  // Of a layer that was packed and now goes. What is left of it between the small things that stay is not always used for the next one (SDXL's small
  // layers: 70 MiB), so it is given back now and then.
  void leaves(std::unique_ptr<quant::Linear> linear) const {
    constexpr std::int64_t kOften = 8 << 20;
    *left += linear->bytes();
    linear.reset();
    if (*left < kOften) return;
    *left = 0;
    trimHeap();
  }

  Packed pack(const model::LayerWeight& layer) const {
    if (auto found = kept(layer, set, device)) {
      const quant::Quantizer& quantizer = quant::quantizer(found->weight.precision);
      note(layer.name, found->asked, quantizer, found->why);
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

std::unique_ptr<quant::Linear> linearOf(Packed packed, std::optional<at::Tensor> bias) {
  if (bias) bias = bias->to(packed.quantizer->computeType());
  return packed.quantizer->linear(std::move(packed.weight), std::move(bias));
}

std::unique_ptr<quant::Convolution> convolutionOf(Packed packed, const model::LayerWeight& layer, std::optional<at::Tensor> bias,
                                                  const quant::Conv2dOptions& how) {
  return std::make_unique<quant::Conv2d>(*packed.quantizer, std::move(packed.weight), layer.shape, std::move(bias), how);
}

bool isPlain(const quant::Quantizer& quantizer) { return quantizer.name() == quant::plainPrecision(quantizer.computeType()); }

// Again and again, of a layer that comes and goes: from the cache's file, else from the model's.
quant::QuantizedTensor packAgain(const model::LayerWeight& layer, const quant::Quantizer& quantizer, const std::shared_ptr<PackedSet>& set) try {
  if (auto found = kept(layer, set, at::kCPU)) return std::move(found->weight);
  return packWith(quantizer, layer.read());
} catch (const std::invalid_argument& error) {
  throw model::ModelError(layer.name + ": " + error.what());
}

Waiting waitInFile(const model::LayerWeight& layer, const quant::Quantizer& quantizer, const std::shared_ptr<PackedSet>& set) {
  return {[layer, &quantizer, set] { return packAgain(layer, quantizer, set); },
          [name = layer.name, ahead = layer.willNeed, set] { if (!(set && set->willNeed(name)) && ahead) ahead(); }};
}

Waiting waitPinned(quant::QuantizedTensor packed, const Packer& packer) {
  for (auto& [name, part] : packed.parts) part = packer.pinned->place(part);
  return {[packed = std::move(packed), device = packer.device] {
    quant::QuantizedTensor there = packed;
    for (auto& [name, part] : there.parts) part = part.to(device, part.scalar_type(), /*non_blocking=*/true);
    return there;
  }};
}

// Nothing where there is no file to read it from: packing takes too long to do it for every use.
std::optional<Waiting> waitFor(const model::LayerWeight& layer, const Packed& packed, const Packer& packer) {
  if (!packer.device.is_cpu()) return waitPinned(packed.weight, packer);
  if (!packer.set && !isPlain(*packed.quantizer)) return std::nullopt;
  return waitInFile(layer, *packed.quantizer, packer.set);
}

LayerSource<quant::Linear> linearFrom(Waiting waiting, const quant::Quantizer& quantizer, const std::optional<at::Tensor>& bias) {
  return {[fetch = std::move(waiting.fetch), &quantizer, bias] { return linearOf({&quantizer, fetch()}, bias); }, std::move(waiting.willNeed)};
}

std::unique_ptr<quant::Linear> streamLinear(const model::LayerWeight& layer, const std::optional<at::Tensor>& bias, const Packer& packer) {
  const quant::Quantizer& asked = quantizerFor(packer.policy, layer.name, layer.shape);
  if (packer.device.is_cpu() && isPlain(asked))   // it need not be read to know what it takes
    return packer.stream->linear(layer.name, asked.name(), layer.shape, layerBytes(asked, layer.shape, bias.has_value()),
                                 linearFrom(waitInFile(layer, asked, packer.set), asked, bias));
  Packed packed = packer.pack(layer);
  const quant::Quantizer& used = *packed.quantizer;
  std::optional<Waiting> waiting = waitFor(layer, packed, packer);
  auto linear = linearOf(std::move(packed), bias);
  if (!waiting) return linear;
  auto streamed = packer.stream->linear(layer.name, used.name(), layer.shape, linear->bytes(), linearFrom(std::move(*waiting), used, bias),
                                        linear.get());
  packer.leaves(std::move(linear));
  return streamed;
}

// A layer that stays as a GGUF file has it.
std::unique_ptr<quant::Linear> streamStored(const model::StoredWeight& weight, const std::optional<at::Tensor>& bias, const Packer& packer) {
  const quant::Gguf& blocks = quant::storedQuantizer(weight.precision);
  Waiting waiting = packer.device.is_cpu() ? Waiting{weight.read, weight.willNeed} : waitPinned(weight.read(), packer);
  return packer.stream->linear(weight.name, weight.precision, weight.shape, storedBytes(weight, bias.has_value()),
                               linearFrom(std::move(waiting), blocks, bias));
}

std::unique_ptr<quant::Linear> packLinear(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const Packer& packer) {
  const Stopwatch watch;
  auto linear = packer.stream ? streamLinear(layer, bias, packer) : linearOf(packer.pack(layer), std::move(bias));
  packer.notes.seconds += watch.seconds();
  return linear;
}

// As the models compute a convolution that is theirs: in the type of what passes it.
class PlainConvolution final : public quant::Convolution {
 public:
  PlainConvolution(at::Tensor weight, const std::optional<at::Tensor>& bias, const quant::Conv2dOptions& how)
      : weight_(std::move(weight)), bias_(bias.value_or(at::Tensor())), options_{.stride = how.stride[0], .padding = how.padding[0]} {}

  at::Tensor forward(const at::Tensor& x) const override { return model::conv2d(x, weight_.to(x.scalar_type()), bias_, options_); }
  std::string_view precision() const override { return quant::plainPrecision(weight_.scalar_type()); }
  std::int64_t bytes() const override { return static_cast<std::int64_t>(weight_.nbytes() + (bias_.defined() ? bias_.nbytes() : 0)); }

 private:
  at::Tensor weight_, bias_;
  model::ConvOptions options_;
};

std::unique_ptr<quant::Convolution> streamPlain(const model::LayerWeight& layer, const std::optional<at::Tensor>& bias,
                                                const quant::Conv2dOptions& how, const Packer& packer) {
  // A part may compute in another type than the rest, as an autoencoder that overflows in fp16 does; its biases say so.
  const at::ScalarType type = bias ? bias->scalar_type() : quant::quantizer(packer.policy.precision).computeType();
  const quant::Quantizer& plain = quant::quantizer(quant::plainPrecision(type));
  const auto read = [layer, bias, type] { return bias ? layer.read().to(type) : layer.read(); };
  LayerSource<quant::Convolution> source{[=] { return std::make_unique<PlainConvolution>(read(), bias, how); }, layer.willNeed};
  if (!packer.device.is_cpu())
    source = {[weight = packer.pinned->place(read()), bias, how, device = packer.device] {
      return std::make_unique<PlainConvolution>(weight.to(device, weight.scalar_type(), /*non_blocking=*/true), bias, how);
    }};
  return packer.stream->convolution(layer.name, plain.name(), layerBytes(plain, layer.shape, bias.has_value()), std::move(source));
}

std::unique_ptr<quant::Convolution> packConvolution(const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how,
                                                    const Packer& packer) {
  const bool plain = staysPlain(layer, packer.policy);
  if (plain) return packer.stream ? streamPlain(layer, bias, how, packer) : nullptr;
  const Stopwatch watch;
  Packed packed = packer.pack(layer);
  const quant::Quantizer& quantizer = *packed.quantizer;
  std::optional<Waiting> waiting = packer.stream ? waitFor(layer, packed, packer) : std::nullopt;
  auto convolution = convolutionOf(std::move(packed), layer, bias, how);
  packer.notes.seconds += watch.seconds();
  if (!waiting) return convolution;
  const auto load = [layer, bias, how, &quantizer, fetch = std::move(waiting->fetch)] {
    return convolutionOf({&quantizer, fetch()}, layer, bias, how);
  };
  return packer.stream->convolution(layer.name, quantizer.name(), convolution->bytes(), {load, std::move(waiting->willNeed)});
}

}  // namespace

quant::LayerKind kindOf(at::IntArrayRef shape) { return shape.size() == 4 ? quant::LayerKind::Convolution : quant::LayerKind::Linear; }

bool staysPlain(const model::LayerWeight& layer, const quant::Policy& policy) {
  return policy.precisionOf(layer.name, kindOf(layer.shape)) == quant::plainPrecision(quant::quantizer(policy.precision).computeType());
}

const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape) {
  return quant::quantizer(quant::quantizer(policy.precisionOf(layer, kindOf(shape))).precisionFor(flat(shape)));
}

void packLayers(model::LoadOptions& options, const quant::Policy& policy, PackingNotes& notes, std::shared_ptr<PackedSet> packed,
                std::shared_ptr<LayerStream> stream) {
  const Packer packer{policy, notes, std::move(packed), options.device, std::move(stream)};
  options.linear = [=](const model::LayerWeight& layer, std::optional<at::Tensor> bias) { return packLinear(layer, std::move(bias), packer); };
  options.convolution = [=](const model::LayerWeight& layer, std::optional<at::Tensor> bias, const quant::Conv2dOptions& how) {
    return packConvolution(layer, std::move(bias), how, packer);
  };
  if (!packer.stream) return;
  options.stored = [=](const model::StoredWeight& weight, const std::optional<at::Tensor>& bias) { return streamStored(weight, bias, packer); };
}

std::optional<at::ScalarType> softmaxType(const quant::Policy& policy) {
  const std::string asked = policy.softmax();
  return asked.empty() ? std::nullopt : std::optional(quant::quantizer(asked).computeType());
}

std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy) {
  return [&policy](const std::string& name, std::string_view stored, std::string_view main) {
    const std::string wanted = policy.precisionOf(name);
    return wanted == stored || wanted == main;
  };
}

}  // namespace quantspot::pipeline
