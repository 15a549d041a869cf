// FLUX's single blocks (diffusers 0.42.1, models/transformers/transformer_flux.py); its double ones are joint_block.h's.
#pragma once

#include "engine/model/joint_block.h"

namespace quantspot::model {

// One stream over text and image together; attention and MLP run side by side.
class SingleBlock {
 public:
  static constexpr std::size_t kLinears = 6;
  SingleBlock(Parameters& parameters, const std::string& name, const BlockShape& shape);
  at::Tensor forward(const at::Tensor& x, const at::Tensor& conditioning, const Rotary& rotary) const;

 private:
  BlockShape shape_;
  std::optional<at::ScalarType> softmax_;
  Linear modulation_, q_, k_, v_, up_, out_;
  RmsNorm normQ_, normK_;
};

}  // namespace quantspot::model
