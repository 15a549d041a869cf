// What the two halves of AutoencoderKL share (diffusers 0.42.1, models/autoencoders/vae.py).
#pragma once

#include "engine/model/config.h"
#include "engine/model/resnet.h"

#include <optional>

namespace quantspot::model {

// Names of both halves' keys in config.json.
struct KlHalf {
  const char *name, *blockTypes, *blockType;
};
inline constexpr KlHalf kKlEncoder{"encoder", "down_block_types", "DownEncoderBlock2D"}, kKlDecoder{"decoder", "up_block_types", "UpDecoderBlock2D"};

// Channels of the stages from the picture inwards, and how resnets are made. Throws ModelError.
struct KlShape {
  KlShape(const Config& config, const KlHalf& half);

  std::vector<std::int64_t> channels;
  ResnetOptions resnet;
  std::int64_t layers = 1, latentChannels = 4;
  bool attends = true;                   // in the middle
};

// Two resnets with one head of attention over all pixels between them.
class KlMiddle {
 public:
  static constexpr std::size_t kLinears = 4;
  KlMiddle(Parameters& parameters, const std::string& name, const KlShape& shape);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  // Torch multiplies a view of transposed pixels without the bias and adds that in a second step; in bf16 both round.
  struct Projection {
    Linear product;
    at::Tensor bias;
    at::Tensor operator()(const at::Tensor& x) const { return product(x) + bias; }
  };
  struct Attention {
    GroupNorm norm;
    Projection q, k, v;
    Linear out;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  static Attention load(Parameters& parameters, const std::string& name, const KlShape& shape);

  Resnet first_, second_;
  std::optional<Attention> attention_;
};

}  // namespace quantspot::model
