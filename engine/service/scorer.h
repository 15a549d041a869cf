// Scores of pictures, from their files' bytes.
#pragma once

#include "engine/protocol/messages.h"
#include "metrics/image.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::service {

// A CLIPModel folder (config.json, weights, tokenizer), both halves in memory in float32. Not thread-safe.
class ClipScorer {
 public:
  explicit ClipScorer(const std::filesystem::path& folder);   // throws ModelError
  ~ClipScorer();
  double score(metrics::ImageView image, const std::string& prompt) const;   // 100 · cosine

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Scorer {
 public:
  // Throws std::invalid_argument on an unknown metric, pictures that cannot be read or differ in size.
  protocol::ScoreResult score(const protocol::ScoreParams& params);

 private:
  const ClipScorer& clip(const std::filesystem::path& folder);   // the last one is kept: it is asked for again and again

  std::filesystem::path clipFolder_;
  std::unique_ptr<ClipScorer> clip_;
};

// The "clip_score" folder of a model, or that of the embedded one.
std::filesystem::path clipFolderOf(const std::filesystem::path& model);

}  // namespace quantspot::service
