// Denoisers, text encoders and autoencoders larger than the memory: layers that are read when they are used.
#pragma once

#include "engine/pipeline/transfer.h"
#include "quant/conv2d.h"
#include "quant/quantizer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace quantspot::pipeline {

// None: a part is where it computes as a whole while it works; parts never are together. Model: the same, on a device from pinned memory of the
// host, where it stays between pictures when the variant is kept. Group: one block, while the next one comes beside the computing.
// Sequential: one layer. Pictures are the same in all of them.
enum class Offload { None, Model, Group, Sequential };
Offload parseOffload(const std::string& text);   // throws std::invalid_argument that lists the choices

// How a layer comes: `load` makes it, each time the same, and may run in another thread; `willNeed` may run beside it.
template <class Layer>
struct LayerSource {
  std::function<std::unique_ptr<Layer>()> load;
  std::function<void()> willNeed = {};   // load() comes soon; empty: nothing to do
};

// What the layers of one part share. Layers are used by one thread.
class LayerStream {
 public:
  // Not for None. `make`: by whom groups are brought; `check` is called before each layer works and may throw (Cancelled).
  LayerStream(Offload mode, MakeTransfer make, std::function<void()> check = {});
  explicit LayerStream(Offload mode);            // on the CPU
  ~LayerStream();                                // the layers may live longer
  LayerStream(const LayerStream&) = delete;
  LayerStream& operator=(const LayerStream&) = delete;

  // Layers come in the order in which they are loaded; of one block one after the other. Sources must stay valid. `shape` as of the weight;
  // `bytes` while it is there. `now`: the layer, where it is at hand already; it is not kept, but a layer whose activations have scales
  // makes one that has them, too.
  std::unique_ptr<quant::Linear> linear(const std::string& name, std::string_view precision, at::IntArrayRef shape, std::int64_t bytes,
                                        LayerSource<quant::Linear> source, const quant::Linear* now = nullptr);
  std::unique_ptr<quant::Convolution> convolution(const std::string& name, std::string_view precision, std::int64_t bytes,
                                                  LayerSource<quant::Convolution> source);
  // The part has done its work for now: nothing of it stays.
  void rest();

  struct Plan;                                   // of offload.cpp

 private:
  std::shared_ptr<Plan> plan_;
};

// What comes together: "transformer_blocks.3.attn.to_q" → "transformer_blocks.3"; in a UNet, whose blocks are large, a resnet or a transformer's
// block: "up_blocks.0.attentions.1.transformer_blocks.3". What has no number is a block of its own.
std::string blockOf(const std::string& layer);

}  // namespace quantspot::pipeline
