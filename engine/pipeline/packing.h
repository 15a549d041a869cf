// A policy, as the models ask for it. Text encoders have their part in front of the layer names.
#pragma once

#include "engine/model/components.h"
#include "engine/pipeline/offload.h"
#include "engine/pipeline/packed_cache.h"
#include "quant/policy.h"

namespace quantspot::pipeline {

// What packs this layer: the policy's choice, or what that one names in its place where it cannot hold the shape. A shape of four
// dimensions is a convolution's.
const quant::Quantizer& quantizerFor(const quant::Policy& policy, const std::string& layer, at::IntArrayRef shape);

quant::LayerKind kindOf(at::IntArrayRef shape);
// A convolution that nothing is asked of is torch's own.
bool staysPlain(const model::LayerWeight& layer, const quant::Policy& policy);

// What happened while layers were packed.
struct PackingNotes {
  struct Fallback {
    std::string layer, asked, used, why;
  };
  double seconds = 0;
  std::vector<Fallback> fallbacks;       // layers that could not be held as asked
};

// Sets the factories of Linear layers and convolutions: they pack every weight at the precision that the policy gives its layer; biases
// go in its compute type. A layer whose compute type is not the policy's casts its activations to it and back. A layer that its precision
// cannot hold (shape, range) gets what that precision names in its place, else the plain type; that is noted. `policy` and `notes` must
// outlive the loading. The factories throw std::invalid_argument when the plain type cannot hold the weight either (NaN, infinity).
// Layers that `packed` holds are taken from there, others are added to it; null: none. With a stream, layers come and go: on the CPU plain ones
// and those that stay as a GGUF file has them from the model's file, packed ones from the set (without one they stay); on another device all from
// pinned memory of the host.
void packLayers(model::LoadOptions& options, const quant::Policy& policy, PackingNotes& notes, std::shared_ptr<PackedSet> packed = nullptr,
                std::shared_ptr<LayerStream> stream = nullptr);

// The type that the policy's rule `softmax=fp16` asks of the denoiser's attention; nothing: no such rule.
std::optional<at::ScalarType> softmaxType(const quant::Policy& policy);

// For LoadOptions::keeps: a layer of a GGUF file stays as it is stored when the policy asks for that very precision, or for the one
// that most of the file has (files such as Q4_K_M mix several). Everything else is made anew from its values.
std::function<bool(const std::string& name, std::string_view stored, std::string_view main)> keepingRule(const quant::Policy& policy);

}  // namespace quantspot::pipeline
