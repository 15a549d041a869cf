// How much room packed forms of a pipeline take on the disk: upper estimates from names and shapes alone.
#pragma once

#include "quant/policy.h"

#include <cstdint>
#include <filesystem>

namespace quantspot::pipeline {

// The denoiser as the policy packs it, and the text encoders where the policy names them. Throws model::ModelError as loading would.
std::int64_t packedBytes(const std::filesystem::path& model, const quant::Policy& policy);
// What quantizeModel() writes: those, and the parts that it copies.
std::int64_t checkpointBytes(const std::filesystem::path& model, const quant::Policy& policy);

}  // namespace quantspot::pipeline
