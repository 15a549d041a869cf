// How a module gets its parameters: Linear layers through a factory that applies a policy, the rest as plain tensors.
#pragma once

#include "quant/quantizer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::model {

struct LayerInfo {
  std::string name, precision;       // "transformer_blocks.0.attn.to_q", "bnb-nf4"
  std::vector<std::int64_t> shape;
  std::int64_t bytes = 0;            // resident, with scales and bias
};

// Packs one weight; `name` is the layer's name inside its component.
using LinearFactory =
    std::function<std::unique_ptr<quant::Linear>(const std::string& name, const at::Tensor& weight, std::optional<at::Tensor> bias)>;

// What is done to a layer once it is there, however it came; returns it or what takes its place.
using LinearDecoration = std::function<std::unique_ptr<quant::Linear>(const std::string& name, std::unique_ptr<quant::Linear> layer)>;

}  // namespace quantspot::model
