// Prompt to image, one variant at a time, with its measurements.
#pragma once

#include "engine/pipeline/adapters.h"
#include "engine/pipeline/offload.h"
#include "engine/pipeline/packed_cache.h"
#include "engine/protocol/messages.h"
#include "quant/schedule.h"

#include <ATen/core/Tensor.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace quantspot::pipeline {

struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

struct RgbImage {                        // 8-bit, interleaved, row-major, no padding
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;      // 3 · width · height
};

struct Resident;

struct Observed {                        // what else is told of a sample
  bool latents = false, memory = false, flops = false;
};

struct SampleRequest {
  std::filesystem::path model;           // folder
  quant::Policy policy;                  // of all steps, when `schedule` is empty; else its first span's
  protocol::Recipe recipe;
  std::vector<protocol::Recipe> more = {};   // further pictures of the same pass; only prompts and seed may differ from `recipe`
  std::vector<quant::StepSpan> schedule = {};   // precisions that change over the steps
  std::vector<Adapter> adapters = {};        // LoRA files, applied beside the packed weights
  std::vector<std::string> calibration = {};   // prompts for precisions whose activations have scales (quanto-int8a8)
  Offload offload = Offload::None;
  PackedCacheOptions packedCache = {};       // where packed weights are kept; no folder: nowhere
  std::optional<RgbImage> image = {};          // of the recipe's size: the pictures start from it, noised by recipe.strength
  Observed observe = {};
  std::string device = "cpu";
  std::shared_ptr<Resident> resident = {};   // keeps the variant loaded; not with LoRA, schedules, calibration and layers that come and go
  // --latents-in: as the family packs it (FLUX: (B, S, C)) or (B, C, h, w), B pictures; else drawn from each seed
  std::optional<at::Tensor> noise;
  std::function<void(const std::string& stage, int step, int steps)> progress;
  const std::atomic<bool>* cancel = nullptr;   // checked at least once per step and per layer while loading
};

struct Sample {
  RgbImage image;
  at::Tensor latents;                    // final, as the family packs them, float32
  nlohmann::json report;                 // schema 1 of the design; in a batch, seconds and peaks are those of the whole pass
  std::vector<at::Tensor> trajectory = {};   // when observed: as `latents`, after every call
};

// Not thread-safe: one caller at a time. Holds the prompt embeddings and noise of the last recipe and no other weights
// after generate() has returned; a request with `resident` keeps them there.
class Sampler {
 public:
  Sampler();
  ~Sampler();
  // One picture; `more` must be empty. Throws as generateBatch().
  Sample generate(const SampleRequest& request);
  // `recipe` and `more` in one pass, in this order. Each picture starts from the noise that its own seed draws alone, so it is the
  // picture of a single run, up to the order of sums in larger products (and LLM.int8(), which looks for outlier columns in the
  // whole batch). Throws Cancelled, model::ModelError, std::invalid_argument (recipe), std::bad_alloc; NaN in the latents is a ModelError.
  std::vector<Sample> generateBatch(const SampleRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantspot::pipeline
