// How a module gets its parameters: Linear layers through a factory that applies a policy, the rest as plain tensors.
#pragma once

#include "quant/conv2d.h"
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

// A layer's weight, read only when somebody needs its values: what is made of it may already be at hand.
struct LayerWeight {
  std::string name;                  // inside its component, with the part in front ("text_encoder_2.encoder…", "vae.decoder…")
  std::vector<std::int64_t> shape;   // (out, in); of a convolution (out, in, height, width)
  std::function<at::Tensor()> read;  // in the file's type, on the device; on the meta device it holds nothing; good at any time, from any thread
  std::function<void()> willNeed = {};   // read() comes soon: the system fetches the bytes; returns at once; empty: there is no file
};

// A weight that a GGUF file holds in ggml's blocks. Good at any time, from any thread.
struct StoredWeight {
  std::string name;                  // as LayerWeight's
  std::string precision;             // of the blocks, "gguf-q4_k"
  std::vector<std::int64_t> shape;   // (out, in)
  std::function<quant::QuantizedTensor()> read;   // a copy, on the CPU
  std::function<void()> willNeed = {};
};

// Packs one weight.
using LinearFactory = std::function<std::unique_ptr<quant::Linear>(const LayerWeight& weight, std::optional<at::Tensor> bias)>;
// The layer of a weight that stays as it is stored.
using StoredFactory = std::function<std::unique_ptr<quant::Linear>(const StoredWeight& weight, std::optional<at::Tensor> bias)>;
// Null: the convolution stays plain.
using ConvolutionFactory = std::function<std::unique_ptr<quant::Convolution>(const LayerWeight& weight, std::optional<at::Tensor> bias,
                                                                             const quant::Conv2dOptions& options)>;

// Stands in for a part's weight files where only their names and shapes matter: `has` answers which of two namings there is,
// `check` is told every tensor that would be read.
struct Catalog {
  std::function<bool(const std::string& tensor)> has;
  std::function<void(const std::string& tensor, const std::vector<std::int64_t>& shape)> check;
};

// What is done to a layer once it is there, however it came; returns it or what takes its place.
using LinearDecoration = std::function<std::unique_ptr<quant::Linear>(const std::string& name, std::unique_ptr<quant::Linear> layer)>;

}  // namespace quantspot::model
