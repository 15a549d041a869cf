#include "engine/model/parameters.h"

#include "engine/model/folder.h"
#include "engine/model/ops.h"
#include "quant/gguf.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <numeric>

namespace quantspot::model {
namespace {

std::optional<at::Tensor> optional(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

at::Tensor channelsLast(const at::Tensor& x) { return x.permute({0, 2, 3, 1}); }
at::Tensor channelsSecond(const at::Tensor& x) { return x.permute({0, 3, 1, 2}).contiguous(); }

// A 1 × 1 convolution as the Linear layer that it is, over (B, H, W, C), for what is put around layers.
class PointwiseLinear final : public quant::Linear {
 public:
  PointwiseLinear(Conv conv, const LayerInfo& info) : conv_(std::move(conv)), info_(info) {}
  at::Tensor forward(const at::Tensor& x) const override { return channelsLast(conv_(channelsSecond(x))); }
  std::string_view precision() const override { return info_.precision; }
  std::int64_t bytes() const override { return info_.bytes; }
  std::int64_t inFeatures() const override { return info_.shape[1]; }
  std::int64_t outFeatures() const override { return info_.shape[0]; }

 private:
  Conv conv_;
  LayerInfo info_;
};

// And back.
class PointwiseConvolution final : public quant::Convolution {
 public:
  explicit PointwiseConvolution(std::unique_ptr<quant::Linear> layer) : layer_(std::move(layer)) {}
  at::Tensor forward(const at::Tensor& x) const override { return channelsSecond(layer_->forward(channelsLast(x))); }
  std::string_view precision() const override { return layer_->precision(); }
  std::int64_t bytes() const override { return layer_->bytes(); }

 private:
  std::unique_ptr<quant::Linear> layer_;
};

// What `decorate` puts around the convolution that was recorded last; itself where it puts nothing.
Conv decorated(Conv conv, LayerInfo& info, const LinearDecoration& decorate) {
  auto layer = std::make_unique<PointwiseLinear>(conv, info);
  const quant::Linear* const own = layer.get();
  std::unique_ptr<quant::Linear> after = decorate(info.name, std::move(layer));
  if (after.get() == own) return conv;
  info.bytes = after->bytes();
  return {.weight = {}, .bias = {}, .options = conv.options, .packed = std::make_shared<PointwiseConvolution>(std::move(after))};
}

}  // namespace

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, optional(weight), optional(bias), eps);
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const { return at::rms_norm(x, {x.size(-1)}, optional(weight), eps); }

// Contiguous: where channels lie innermost, torch's kernel takes the variance as E[x²] − E[x]², which loses every digit of a group whose mean
// is far above its deviation (two values of a 1 × 1 map).
at::Tensor GroupNorm::operator()(const at::Tensor& x) const { return at::group_norm(x.contiguous(), groups, weight, bias, eps); }

at::Tensor Conv::operator()(const at::Tensor& x) const { return packed ? packed->forward(x) : conv2d(x, weight, bias, options); }

Parameters::Parameters(const std::filesystem::path& folder, const LoadOptions& options, std::size_t linears, std::string prefix)
    : folder_(folder), options_(options), total_(linears), prefix_(std::move(prefix)) {
  if (!options.catalog) weights_ = std::make_shared<Weights>(folder);
}

void Parameters::check(const std::string& tensor, const std::vector<std::int64_t>& shape) const {
  if (weights_) weights_->check(tensor, shape);
  else options_.catalog->check(tensor, shape);
}

Linear Parameters::linear(const std::string& name, std::int64_t in, std::int64_t out, bool bias) {
  std::optional<at::Tensor> shift;
  if (bias) shift = read(name + ".bias", {out});
  std::unique_ptr<quant::Linear> layer = keepStored(name, {out, in}, shift);
  if (!layer) layer = make(weightOf(name, {out, in}), std::move(shift));
  if (options_.decorate) layer = options_.decorate(prefix_ + name, std::move(layer));
  ledger_.push_back({prefix_ + name, std::string(layer->precision()), {out, in}, layer->bytes()});
  ++done_;
  if (options_.onLayer) options_.onLayer(done_, total_);
  return Linear(std::move(layer));
}

std::unique_ptr<quant::Linear> Parameters::keepStored(const std::string& name, const std::vector<std::int64_t>& shape, std::optional<at::Tensor> bias) const {
  if (!options_.keeps || !weights_ || weights_->mainPrecision().empty()) return nullptr;
  const std::string tensor = name + ".weight";
  const std::string_view blocks = weights_->blocksOf(tensor, shape);
  if (blocks.empty() || !options_.keeps(prefix_ + name, blocks, weights_->mainPrecision())) return nullptr;
  const StoredWeight weight{prefix_ + name, std::string(blocks), shape, [weights = weights_, tensor, shape] { return weights->packed(tensor, shape).value(); },
                            [weights = weights_, tensor] { weights->willNeed(tensor); }};
  if (options_.stored) return options_.stored(weight, std::move(bias));
  quant::QuantizedTensor stored = weight.read();
  for (auto& [part, values] : stored.parts) values = values.to(options_.device);
  return quant::storedQuantizer(blocks).linear(std::move(stored), std::move(bias));
}

// The files stay open for as long as somebody may read.
LayerWeight Parameters::weightOf(const std::string& name, std::vector<std::int64_t> shape) const {
  check(name + ".weight", shape);
  return {prefix_ + name, shape, [weights = weights_, tensor = name + ".weight", shape, device = options_.device, compute = options_.compute] {
    return device.is_meta() ? at::empty(shape, at::TensorOptions(compute).device(device)) : weights->read(tensor, shape).to(device);
  }, weights_ ? std::function<void()>([weights = weights_, tensor = name + ".weight"] { weights->willNeed(tensor); }) : nullptr};
}

template <class Work>
auto Parameters::blaming(const std::string& name, Work&& work) const {
  try {
    return work();
  } catch (const std::invalid_argument& error) {
    throw ModelError(fmt::format("{}: {}: {}", folder_.string(), name, error.what()));
  }
}

std::unique_ptr<quant::Linear> Parameters::make(const LayerWeight& weight, std::optional<at::Tensor> bias) const {
  return blaming(weight.name, [&] {
    if (options_.linear) return options_.linear(weight, std::move(bias));
    const quant::Quantizer& plain = quant::quantizer(quant::plainPrecision(options_.compute));
    return plain.linear(plain.pack(weight.read()), std::move(bias));
  });
}

LayerNorm Parameters::layerNorm(const std::string& name, std::int64_t width, double eps) {
  LayerNorm norm{read(name + ".weight", {width}), read(name + ".bias", {width}), eps};
  record(name, norm.weight, norm.bias);
  return norm;
}

RmsNorm Parameters::rmsNorm(const std::string& name, std::int64_t width, double eps) {
  RmsNorm norm{read(name + ".weight", {width}), eps};
  record(name, norm.weight);
  return norm;
}

GroupNorm Parameters::groupNorm(const std::string& name, std::int64_t channels, std::int64_t groups, double eps) {
  GroupNorm norm{read(name + ".weight", {channels}), read(name + ".bias", {channels}), groups, eps};
  record(name, norm.weight, norm.bias);
  return norm;
}

Conv Parameters::conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel, bool bias, const ConvOptions& options) {
  at::Tensor shift = bias ? read(name + ".bias", {out}) : at::Tensor();
  Conv conv{.weight = {}, .bias = {}, .options = options};
  if (options_.convolution) {
    const LayerWeight weight = weightOf(name, {out, in, kernel, kernel});
    const std::int64_t padding = options.padding < 0 ? kernel / 2 : options.padding;
    const quant::Conv2dOptions how{.stride = {options.stride, options.stride}, .padding = {padding, padding}};
    conv.packed = blaming(weight.name, [&] { return options_.convolution(weight, optional(shift), how); });
    if (conv.packed) ledger_.push_back({weight.name, std::string(conv.packed->precision()), weight.shape, conv.packed->bytes()});
  }
  if (!conv.packed) {
    conv.weight = read(name + ".weight", {out, in, kernel, kernel});
    conv.bias = shift;
    record(name, conv.weight, conv.bias);
  }
  const bool isMatrix = kernel == 1 && options.stride == 1 && options.padding <= 0;
  return isMatrix && options_.decorate ? decorated(std::move(conv), ledger_.back(), options_.decorate) : conv;
}

at::Tensor Parameters::embedding(const std::string& name, std::int64_t rows, std::int64_t width) {
  at::Tensor table = read(name + ".weight", {rows, width});
  record(name, table);
  return table;
}

at::Tensor Parameters::tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  at::Tensor values = read(name, shape);
  record(name, values);
  return values;
}

at::Tensor Parameters::biasOf(const std::string& name, std::int64_t width) {
  at::Tensor bias = read(name + ".bias", {width});
  ledger_.back().bytes += static_cast<std::int64_t>(bias.nbytes());
  return bias;
}

at::Tensor Parameters::read(const std::string& tensor, const std::vector<std::int64_t>& shape) const {
  return load(tensor, shape).to(options_.compute);
}

at::Tensor Parameters::load(const std::string& tensor, const std::vector<std::int64_t>& shape) const {
  if (!options_.device.is_meta()) return weights_->read(tensor, shape).to(options_.device);
  check(tensor, shape);
  return at::empty(shape, at::TensorOptions(options_.compute).device(at::kMeta));
}

void Parameters::record(const std::string& name, const at::Tensor& weight, const at::Tensor& bias) {
  const std::size_t bytes = weight.nbytes() + (bias.defined() ? bias.nbytes() : 0);
  ledger_.push_back({prefix_ + name, std::string(quant::plainPrecision(options_.compute)), weight.sizes().vec(), static_cast<std::int64_t>(bytes)});
}

std::int64_t totalBytes(const std::vector<LayerInfo>& layers) {
  return std::accumulate(layers.begin(), layers.end(), std::int64_t{0}, [](std::int64_t sum, const LayerInfo& l) { return sum + l.bytes; });
}

}  // namespace quantspot::model
