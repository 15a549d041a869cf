// Denoisers, text encoders and autoencoders larger than the memory: layers that are read when they are used.
#pragma once

#include "quant/conv2d.h"
#include "quant/quantizer.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// None and Model: a part is in memory as a whole while it works (parts never are together). Group: one block, while the next one is read
// beside the computing. Sequential: one layer. Pictures are the same in all of them.
enum class Offload { None, Model, Group, Sequential };
Offload parseOffload(const std::string& text);   // throws std::invalid_argument that lists the choices

// What the layers of one part share. Layers are used by one thread; fetching ahead has its own.
class LayerStream {
 public:
  explicit LayerStream(Offload mode);            // Group or Sequential
  ~LayerStream();                                // the layers may live longer
  LayerStream(const LayerStream&) = delete;
  LayerStream& operator=(const LayerStream&) = delete;

  // Layers come in the order in which they are loaded; of one block one after the other. `load` makes the layer, each time the same; it must
  // stay valid and may run in another thread. `shape` as of the weight; `bytes` while it is there.
  std::unique_ptr<quant::Linear> linear(const std::string& name, std::string_view precision, at::IntArrayRef shape, std::int64_t bytes,
                                        std::function<std::unique_ptr<quant::Linear>()> load);
  std::unique_ptr<quant::Convolution> convolution(const std::string& name, std::string_view precision, std::int64_t bytes,
                                                  std::function<std::unique_ptr<quant::Convolution>()> load);

  struct Plan;                                   // of offload.cpp

 private:
  std::shared_ptr<Plan> plan_;
};

// "transformer_blocks.3.attn.to_q" → "transformer_blocks.3"; what has no number is a block of its own.
std::string blockOf(const std::string& layer);

}  // namespace quantspot::pipeline
