#include "engine/model/unet/unet.h"

#include "engine/model/embeddings.h"
#include "engine/model/unet/config.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

// What all blocks of a pass read.
struct Signals {
  at::Tensor time, context;
};

// Resnets, each with a transformer behind it where the block attends.
struct Layers {
  std::vector<Resnet> resnets;
  std::vector<SpatialTransformer> transformers;

  at::Tensor operator()(std::size_t i, const at::Tensor& x, const Signals& signals) const {
    const auto hidden = resnets[i](x, signals.time);
    return transformers.empty() ? hidden : transformers[i](hidden, signals.context);
  }
};

class Unet final : public Denoiser {
 public:
  Unet(const std::filesystem::path& folder, const LoadOptions& options);

  at::Tensor predict(const at::Tensor& latents, double timestep, const Condition& condition) const override;
  bool embedsGuidance() const override { return config_.guidanceWidth > 0; }
  std::int64_t latentChannels() const override { return config_.inChannels; }
  std::int64_t bytes() const override { return totalBytes(ledger_); }
  std::vector<LayerInfo> layers() const override { return ledger_; }

 private:
  struct Stage {
    Layers layers;
    std::optional<Conv> resize;          // into the next stage: down with stride 2, or after enlarging
  };
  using Maps = std::vector<at::Tensor>;  // what the way down leaves for the way up

  void loadDown(Parameters& p);
  void loadMiddle(Parameters& p);
  void loadUp(Parameters& p);
  at::Tensor timeSignal(const at::Tensor& latents, double timestep, const Condition& condition) const;
  void check(const Condition& condition) const;
  at::Tensor halved(const Conv& conv, const at::Tensor& x) const;
  at::Tensor goDown(at::Tensor x, const Signals& signals, Maps& maps) const;
  at::Tensor goThrough(const at::Tensor& x, const Signals& signals) const;
  at::Tensor goUp(at::Tensor x, const Signals& signals, Maps& maps) const;

  UnetConfig config_;
  Embedder time_;
  std::optional<Embedder> added_;
  std::optional<Linear> guidance_;
  Conv in_, out_;
  GroupNorm norm_;
  std::vector<Stage> down_, up_;
  std::optional<Layers> middle_;
  std::vector<LayerInfo> ledger_;
};

Unet::Unet(const std::filesystem::path& folder, const LoadOptions& options) : config_(Config(folder / "config.json")) {
  Parameters p(folder, options, config_.linears());
  in_ = p.conv("conv_in", config_.inChannels, config_.timeChannels, config_.kernelIn);
  time_ = loadEmbedder(p, "time_embedding", config_.timeChannels, config_.timeWidth);
  if (config_.guidanceWidth > 0) guidance_ = p.linear("time_embedding.cond_proj", config_.guidanceWidth, config_.timeChannels, false);
  time_.act = config_.resnet.act;
  time_.after = config_.timeAfter;
  if (config_.sizeChannels > 0) added_ = loadEmbedder(p, "add_embedding", config_.addedWidth, config_.timeWidth);
  loadDown(p);
  if (config_.hasMiddle) loadMiddle(p);
  loadUp(p);
  norm_ = p.groupNorm("conv_norm_out", config_.timeChannels, config_.resnet.groups, config_.resnet.eps);
  out_ = p.conv("conv_out", config_.timeChannels, config_.outChannels, config_.kernelOut);
  ledger_ = p.takeLedger();
}

void Unet::loadDown(Parameters& p) {
  for (std::size_t i = 0; i < config_.stages.size(); ++i) {
    const auto& shape = config_.stages[i];
    const std::string name = fmt::format("down_blocks.{}.", i);
    Stage& stage = down_.emplace_back();
    for (std::int64_t j = 0; j < shape.layers; ++j) {
      const std::int64_t in = j > 0 || i == 0 ? shape.channels : config_.stages[i - 1].channels;
      stage.layers.resnets.emplace_back(p, fmt::format("{}resnets.{}.", name, j), in, shape.channels, config_.resnet);
      if (shape.downAttends) stage.layers.transformers.emplace_back(p, fmt::format("{}attentions.{}.", name, j), shape.transformer);
    }
    if (i + 1 < config_.stages.size())
      stage.resize = p.conv(name + "downsamplers.0.conv", shape.channels, shape.channels, 3, true, {.stride = 2, .padding = config_.downPadding});
  }
}

void Unet::loadMiddle(Parameters& p) {
  const auto& shape = config_.stages.back();
  ResnetOptions options = config_.resnet;
  options.outputScale = config_.middleScale;
  middle_.emplace();
  for (int i = 0; i < 2; ++i) middle_->resnets.emplace_back(p, fmt::format("mid_block.resnets.{}.", i), shape.channels, shape.channels, options);
  middle_->transformers.emplace_back(p, "mid_block.attentions.0.", shape.transformer);
}

// Each resnet takes what came last, and a map that the way down has left.
void Unet::loadUp(Parameters& p) {
  const auto& stages = config_.stages;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto& shape = stages[stages.size() - 1 - i];
    const std::int64_t before = i == 0 ? shape.channels : stages[stages.size() - i].channels;
    const std::int64_t left = i + 1 < stages.size() ? stages[stages.size() - 2 - i].channels : shape.channels;
    const std::string name = fmt::format("up_blocks.{}.", i);
    Stage& stage = up_.emplace_back();
    for (std::int64_t j = 0; j <= shape.layers; ++j) {
      const std::int64_t in = (j == 0 ? before : shape.channels) + (j == shape.layers ? left : shape.channels);
      stage.layers.resnets.emplace_back(p, fmt::format("{}resnets.{}.", name, j), in, shape.channels, config_.resnet);
      if (shape.upAttends) stage.layers.transformers.emplace_back(p, fmt::format("{}attentions.{}.", name, j), shape.transformer);
    }
    if (i + 1 < stages.size()) stage.resize = p.conv(name + "upsamplers.0.conv", shape.channels, shape.channels, 3);
  }
}

// A pipeline put together from parts that do not fit is told here, not by the first matrix product.
void Unet::check(const Condition& condition) const {
  const auto fits = [](const std::string& what, std::int64_t has, const char* key, std::int64_t wanted) {
    if (has != wanted) throw ModelError(fmt::format("unet: {} has width {}, {} is {}", what, has, key, wanted));
  };
  const std::int64_t width = conditionOf(condition, "sequence").size(-1);
  for (const auto& stage : config_.stages)
    if (stage.downAttends || stage.upAttends) fits("the output of the text encoders", width, "cross_attention_dim", stage.transformer.contextWidth);
  if (added_)
    fits("the pooled prompt with the sizes", conditionOf(condition, "pooled").size(-1) + 6 * config_.sizeChannels,
         "projection_class_embeddings_input_dim", config_.addedWidth);
}

at::Tensor Unet::timeSignal(const at::Tensor& latents, double timestep, const Condition& condition) const {
  const auto type = latents.scalar_type();
  const SinusoidOptions waves{.cosFirst = config_.cosFirst, .freqShift = config_.freqShift};
  const auto time = at::full({latents.size(0)}, timestep, latents.options().dtype(at::kFloat));
  at::Tensor seen = sinusoid(time, config_.timeChannels, waves).to(type);
  // How far the scale is above 1, in thousandths, as get_guidance_scale_embedding() of the pipelines has it.
  if (guidance_) seen = seen + (*guidance_)(sinusoid((conditionOf(condition, "guidance") - 1) * 1000, config_.guidanceWidth, {.cosFirst = false, .freqShift = 1}).to(type));
  auto signal = time_(seen);
  if (added_) {
    const auto sizes = sinusoid(conditionOf(condition, "time_ids").flatten(), config_.sizeChannels, waves).reshape({latents.size(0), -1});
    signal = signal + (*added_)(at::cat({conditionOf(condition, "pooled"), sizes.to(type)}, -1));
  }
  return config_.timeAct ? config_.timeAct(signal) : signal;
}

// Without padding, diffusers adds a row and a column of zeros behind the map.
at::Tensor Unet::halved(const Conv& conv, const at::Tensor& x) const {
  return conv(config_.downPadding == 0 ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x);
}

at::Tensor Unet::goDown(at::Tensor x, const Signals& signals, Maps& maps) const {
  maps.push_back(x);
  for (const Stage& stage : down_) {
    for (std::size_t i = 0; i < stage.layers.resnets.size(); ++i) maps.push_back(x = stage.layers(i, x, signals));
    if (stage.resize) maps.push_back(x = halved(*stage.resize, x));
  }
  return x;
}

at::Tensor Unet::goThrough(const at::Tensor& x, const Signals& signals) const {
  const auto attended = middle_->transformers[0](middle_->resnets[0](x, signals.time), signals.context);
  return middle_->resnets[1](attended, signals.time);
}

// Maps whose sides were odd on the way down are enlarged to the size that they had.
at::Tensor Unet::goUp(at::Tensor x, const Signals& signals, Maps& maps) const {
  for (const Stage& stage : up_) {
    for (std::size_t i = 0; i < stage.layers.resnets.size(); ++i) {
      x = stage.layers(i, at::cat({x, maps.back()}, 1), signals);
      maps.pop_back();
    }
    if (stage.resize) x = (*stage.resize)(enlarged(x, std::pair(maps.back().size(2), maps.back().size(3))));
  }
  return x;
}

at::Tensor Unet::predict(const at::Tensor& latents, double timestep, const Condition& condition) const {
  check(condition);
  const Signals signals{timeSignal(latents, timestep, condition), conditionOf(condition, "sequence")};
  Maps maps;
  auto x = goDown(in_(config_.centers ? 2 * latents - 1 : latents), signals, maps);
  if (middle_) x = goThrough(x, signals);
  return out_(config_.resnet.act(norm_(goUp(x, signals, maps))));
}

}  // namespace

std::unique_ptr<Denoiser> loadUnet(const std::filesystem::path& folder, const LoadOptions& options) { return std::make_unique<Unet>(folder,
    options); }

}  // namespace quantspot::model
