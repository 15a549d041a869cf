// transformers' CLIPModel of any size: text and picture towers, their pre-processing, cosines.
#pragma once

#include "metrics/image.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

namespace quantspot::service {

// A CLIPModel folder (config.json, weights, tokenizer, optionally preprocessor_config.json), both halves in memory in float32. Not thread-safe.
class ClipScorer {
 public:
  explicit ClipScorer(const std::filesystem::path& folder);   // throws ModelError
  ~ClipScorer();

  at::Tensor imageFeatures(metrics::ImageView image) const;    // (1, D), of length 1
  at::Tensor textFeatures(const std::string& prompt) const;    // (1, D), of length 1; cut where the tower ends
  double score(metrics::ImageView image, const std::string& prompt) const;          // 100 · cosine
  double similarity(metrics::ImageView image, metrics::ImageView other) const;      // 100 · cosine of two pictures
  std::int64_t imageSize() const;                              // pixels a side that the picture tower sees

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The "clip_score" folder of a model, or that of the embedded one.
std::filesystem::path clipFolderOf(const std::filesystem::path& model);
bool isEmbeddedClip(const std::filesystem::path& folder);

}  // namespace quantspot::service
