// A variant that stays in memory between pictures, for a server. All its parts are there at once; with Offload::Model on a device they wait in
// pinned memory of the host and take turns there.
#pragma once

#include "engine/model/components.h"
#include "engine/pipeline/packing.h"

#include <memory>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// Filled by the first picture of a variant, used by those that follow; another variant, device or state of the model's files replaces it. One
// sampler at a time.
struct Resident {
  std::string variant;                   // what it was loaded for
  std::shared_ptr<model::TextEncoders> encoders;
  std::shared_ptr<model::Denoiser> denoiser;
  std::shared_ptr<model::Autoencoder> autoencoder;
  std::vector<std::shared_ptr<LayerStream>> streams;   // of parts that wait in pinned memory while others work
  std::vector<PackingNotes::Fallback> fallbacks;

  bool holds() const { return encoders && denoiser && autoencoder; }
};

}  // namespace quantspot::pipeline
