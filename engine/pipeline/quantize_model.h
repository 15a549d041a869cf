// A pipeline's folder with its weights in packed form, for the reference library to load.
#pragma once

#include "engine/pipeline/checkpoint_quanto.h"
#include "engine/pipeline/sampler.h"

#include <filesystem>

namespace quantspot::pipeline {

struct QuantizeRequest {
  std::filesystem::path model, out;      // folders; `out` must not exist
  quant::Policy policy;
  std::function<void(const std::string& stage, int step, int steps)> progress = {};
  const std::atomic<bool>* cancel = nullptr;
  ActivationScales scales = {};          // for precisions that need them (quanto-int8a8)
};

struct QuantizeResult {
  std::int64_t bytes = 0, was = 0;       // of the packed components' weight files, after and before
  std::vector<std::string> packed, kept; // layers, with their component in front
};

// Whether quantizeModel() can write the policy, by names and shapes alone. Throws std::invalid_argument with the layer and the reason.
void checkCheckpoint(const std::filesystem::path& model, const quant::Policy& policy);

// Writes transformer and text encoders as the policy has them, in the form of the precision's reference library, and copies the
// rest. `out` appears only when it is whole. Throws ModelError, std::invalid_argument (a precision without such a form; layers of two
// libraries in one component, which no library loads), std::runtime_error (no room, told before anything is packed), Cancelled.
QuantizeResult quantizeModel(const QuantizeRequest& request);

}  // namespace quantspot::pipeline
