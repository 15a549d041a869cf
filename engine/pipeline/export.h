// A variant that was judged, as files to deploy: what diffusers or a GGUF program loads, the code that renders with it, and where it comes from.
#pragma once

#include "engine/pipeline/sampler.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::pipeline {

// A picture of this variant that people judged.
struct JudgedImage {
  std::string file, fileHash, pixelHash; // SHA-256 of the file and of its decoded 8-bit RGB pixels
  protocol::Recipe recipe;               // its prompt is empty when it is not known
  nlohmann::json scales = {};            // "activation_scales" of its report; null: it has none
};

struct ExportRequest {
  std::filesystem::path model, out;      // a pipeline's folder; a folder that is not there yet, unless `force`
  quant::Policy policy;
  protocol::Recipe recipe;               // that run.py renders
  std::vector<JudgedImage> images = {};
  bool force = false;                    // replaces an earlier export
  std::function<void(const std::string& stage, int step, int steps)> progress = {};
  const std::atomic<bool>* cancel = nullptr;
};

struct ExportResult {
  std::int64_t bytes = 0;                // of all files
  nlohmann::json manifest;               // as manifest.json
};

// OUT/pipeline (diffusers), for gguf-* also OUT/<denoiser>-<id>.gguf in place of its weights (with a UNet, and companion.h's file beside it),
// OUT/run.py, requirements.txt and manifest.json. OUT appears only when all of it is on the disk. Throws std::invalid_argument (no such form, OUT
// is there), model::ModelError, std::runtime_error (no room, told before anything is written), Cancelled.
ExportResult exportModel(const ExportRequest& request);

// Upper estimate of what exportModel() writes, from names and shapes alone.
std::int64_t exportBytes(const ExportRequest& request);

}  // namespace quantspot::pipeline
