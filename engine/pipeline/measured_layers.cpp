#include "engine/pipeline/measured_layers.h"

#include "engine/model/ops.h"
#include "engine/pipeline/dry_run.h"
#include "engine/pipeline/packing.h"
#include "quant/gguf.h"
#include "quant/plain.h"

#include <ATen/ATen.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>

namespace quantspot::pipeline {
namespace {

// Exact because it is made.
std::int64_t packedBytes(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias) {
  const at::ScalarType type = quantizer.computeType();
  const at::Tensor zeros = at::zeros(shape, type);
  std::optional<at::Tensor> shift;
  if (bias) shift = at::zeros({shape[0]}, type);
  return shape.size() == 4 ? quant::Conv2d(quantizer, zeros, shift).bytes() : quantizer.linear(quantizer.pack(zeros), shift)->bytes();
}

// With `held`, the dry run counts its bytes while it lives.
class MeasuredLinear final : public quant::Linear {
 public:
  MeasuredLinear(const quant::Quantizer& quantizer, at::IntArrayRef shape, std::int64_t bytes, bool held)
      : quantizer_(quantizer), out_(shape[0]), in_(shape[1]), bytes_(bytes), held_(held ? bytes : 0) {}

  at::Tensor forward(const at::Tensor& x) const override {
    if (!x.is_meta()) throw std::logic_error("a layer without a weight was asked to multiply");
    return dryProduct(quantizer_, x, in_, out_);
  }
  std::string_view precision() const override { return quantizer_.name(); }
  std::int64_t bytes() const override { return bytes_; }
  std::int64_t inFeatures() const override { return in_; }
  std::int64_t outFeatures() const override { return out_; }

 private:
  const quant::Quantizer& quantizer_;
  std::int64_t out_, in_, bytes_;
  HeldWeight held_;
};

class MeasuredConvolution final : public quant::Convolution {
 public:
  MeasuredConvolution(const quant::Quantizer& quantizer, at::IntArrayRef shape, quant::Conv2dOptions how, std::int64_t bytes, bool held)
      : quantizer_(quantizer), shape_(shape.vec()), how_(std::move(how)), bytes_(bytes), held_(held ? bytes : 0) {}

  at::Tensor forward(const at::Tensor& x) const override {
    if (!x.is_meta()) throw std::logic_error("a layer without a weight was asked to convolve");
    return dryConvolution(quantizer_, x, shape_, how_);
  }
  std::string_view precision() const override { return quantizer_.name(); }
  std::int64_t bytes() const override { return bytes_; }

 private:
  const quant::Quantizer& quantizer_;
  std::vector<std::int64_t> shape_;
  quant::Conv2dOptions how_;
  std::int64_t bytes_;
  HeldWeight held_;
};

// torch's own, while it is there.
class PlainMeasuredConvolution final : public quant::Convolution {
 public:
  PlainMeasuredConvolution(at::IntArrayRef shape, at::ScalarType type, const std::optional<at::Tensor>& bias, const quant::Conv2dOptions& how,
                           std::int64_t bytes)
      : weight_(uncounted(shape, type)), bias_(bias.value_or(at::Tensor())), how_{.stride = how.stride[0], .padding = how.padding[0]}, held_(bytes) {}

  at::Tensor forward(const at::Tensor& x) const override { return model::conv2d(x, weight_, bias_, how_); }
  std::string_view precision() const override { return quant::plainPrecision(weight_.scalar_type()); }
  std::int64_t bytes() const override { return static_cast<std::int64_t>(weight_.nbytes() + (bias_.defined() ? bias_.nbytes() : 0)); }

 private:
  at::Tensor weight_, bias_;
  model::ConvOptions how_;
  HeldWeight held_;
};

class DryTransfer final : public Transfer {
 public:
  explicit DryTransfer(const Groups& groups) : groups_(groups) {}
  void start(std::size_t group) override { wait(group); }
  void wait(std::size_t group) override {
    for (const auto& slot : groups_[group].slots) slot->fetch();
  }
  void release(std::size_t group) override {
    for (const auto& slot : groups_[group].slots) slot->drop();
  }
  void announce(std::size_t) override {}

 private:
  const Groups& groups_;
};

}  // namespace

// Once for every shape, of which a model has few. A large layer takes as much more as it has more rows: all formats pack rows, or blocks
// that 64 rows of a width of 256 are whole multiples of.
std::int64_t layerBytes(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias) {
  constexpr std::int64_t few = 64, large = 1 << 22;
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::vector<std::int64_t>, bool>, std::int64_t> known;
  const std::lock_guard lock(mutex);
  const auto [found, isNew] = known.try_emplace({std::string(quantizer.name()), shape.vec(), bias}, 0);
  if (!isNew) return found->second;
  const bool inRows = shape.size() == 2 && shape[0] * shape[1] >= large && shape[0] % few == 0 && shape[1] % 256 == 0;
  if (!inRows) return found->second = packedBytes(quantizer, shape, bias);
  const std::int64_t first = packedBytes(quantizer, {few, shape[1]}, bias), both = packedBytes(quantizer, {2 * few, shape[1]}, bias);
  return found->second = first + (shape[0] / few - 1) * (both - first);
}

std::int64_t storedBytes(const model::StoredWeight& weight, bool bias) {
  const quant::GgmlTypeInfo& type = quant::storedQuantizer(weight.precision).type();
  return weight.shape[0] * weight.shape[1] / type.elements * type.bytes + (bias ? 2 * weight.shape[0] : 0);
}

void measureLayers(model::LoadOptions& options, const quant::Policy& policy, const std::shared_ptr<LayerStream>& stream) {
  // One that stays, or one that comes when it is used.
  const auto linear = [stream](const std::string& name, const quant::Quantizer& quantizer, const std::vector<std::int64_t>& shape,
                               std::int64_t bytes) -> std::unique_ptr<quant::Linear> {
    const auto make = [&quantizer, shape, bytes](bool held) { return std::make_unique<MeasuredLinear>(quantizer, shape, bytes, held); };
    if (!stream) return make(false);
    return stream->linear(name, quantizer.name(), shape, bytes, {[make] { return make(true); }});
  };
  options.linear = [&policy, linear](const model::LayerWeight& layer, const std::optional<at::Tensor>& bias) {
    const quant::Quantizer& quantizer = quantizerFor(policy, layer.name, layer.shape);
    return linear(layer.name, quantizer, layer.shape, layerBytes(quantizer, layer.shape, bias.has_value()));
  };
  options.stored = [linear](const model::StoredWeight& weight, const std::optional<at::Tensor>& bias) {
    return linear(weight.name, quant::storedQuantizer(weight.precision), weight.shape, storedBytes(weight, bias.has_value()));
  };
  options.convolution = [&policy, stream](const model::LayerWeight& layer, const std::optional<at::Tensor>& bias,
                                          const quant::Conv2dOptions& how) -> std::unique_ptr<quant::Convolution> {
    if (!staysPlain(layer, policy)) {
      const quant::Quantizer& quantizer = quantizerFor(policy, layer.name, layer.shape);
      const std::int64_t bytes = layerBytes(quantizer, layer.shape, bias.has_value());
      const auto make = [&quantizer, shape = layer.shape, how, bytes](bool held) {
        return std::make_unique<MeasuredConvolution>(quantizer, shape, how, bytes, held);
      };
      if (!stream) return make(false);
      return stream->convolution(layer.name, quantizer.name(), bytes, {[make] { return make(true); }});
    }
    if (!stream) return nullptr;
    // A part may compute in another type than the rest; its biases say so.
    const at::ScalarType type = bias ? bias->scalar_type() : quant::quantizer(policy.precision).computeType();
    const std::string_view plain = quant::plainPrecision(type);
    const std::int64_t bytes = layerBytes(quant::quantizer(plain), layer.shape, bias.has_value());
    return stream->convolution(layer.name, plain, bytes, {[shape = layer.shape, type, bias, how, bytes] {
      return std::make_unique<PlainMeasuredConvolution>(shape, type, bias, how, bytes);
    }});
  };
}

std::unique_ptr<Transfer> makeDryTransfer(const Groups& groups) { return std::make_unique<DryTransfer>(groups); }

}  // namespace quantspot::pipeline
