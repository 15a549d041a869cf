// Layers that know what they take and hold nothing, for dry runs.
#pragma once

#include "engine/model/components.h"
#include "engine/pipeline/offload.h"
#include "quant/policy.h"

#include <memory>

namespace quantspot::pipeline {

// Bytes of a layer of this shape while it is there, its bias (in the compute type) included; four dimensions: a convolution.
std::int64_t layerBytes(const quant::Quantizer& quantizer, at::IntArrayRef shape, bool bias);
// Of one that stays as a GGUF file has it. Throws std::invalid_argument for blocks that are not known.
std::int64_t storedBytes(const model::StoredWeight& weight, bool bias);

// As packLayers(): the same precisions and bytes, but nothing is read, and products are those of the meta device (dry_run.h). `policy` must outlive
// the layers. With a stream they come and go in it, and peakOfDryRun() counts those that are there; plain convolutions, too, which are torch's own else.
void measureLayers(model::LoadOptions& options, const quant::Policy& policy, const std::shared_ptr<LayerStream>& stream = nullptr);

// For such a stream: a group that is sent for is there at once, which is when two of them take most.
std::unique_ptr<Transfer> makeDryTransfer(const Groups& groups);

}  // namespace quantspot::pipeline
