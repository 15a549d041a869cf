// Scores of pictures: of one with its prompt or its reference, of sets.
#pragma once

#include "engine/protocol/messages.h"
#include "engine/service/clip_scorer.h"
#include "engine/service/set_score.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>

namespace quantspot::service {

enum class ScoreKind { Pair, Prompt, Set };
struct MetricInfo {
  std::string_view id, label;
  ScoreKind kind;
};
// What score() knows, in display order; labels as they are with the real weights.
std::span<const MetricInfo> scoreMetrics();
const MetricInfo& metricInfo(const std::string& id);   // throws std::invalid_argument that names all

// Which weights a metric takes; empty: what was downloaded, and for CLIP the embedded one.
struct ScoreWeights {
  std::filesystem::path clip;            // a CLIPModel folder
  std::vector<std::filesystem::path> files;
  std::string net = "alex";              // of LPIPS: alex, vgg, squeeze
};

// A metric of two pictures, its network loaded. Throws as Scorer does.
struct PairMetric {
  std::string label, sha256;             // sha256: empty without weights
  std::function<double(metrics::ImageView image, metrics::ImageView reference)> score;
};
PairMetric pairMetric(const std::string& metric, const ScoreWeights& weights);

// The CLIPModel folder that a name means: a path, one of the catalogue's, owner/name of the hub's cache; "": the model's own or the embedded one.
std::filesystem::path clipFolder(const std::string& name, const std::filesystem::path& model);

// Answers metrics/score. Networks are kept from call to call; not thread-safe.
class Scorer {
 public:
  // Throws std::invalid_argument on an unknown metric, pictures that cannot be read or differ in size; ModelError where weights are missing.
  protocol::ScoreResult score(const protocol::ScoreParams& params);

 private:
  protocol::ScoreResult scorePrompt(const protocol::ScoreParams& params);
  protocol::ScoreResult scorePair(const protocol::ScoreParams& params);
  protocol::ScoreResult scoreSet(const protocol::ScoreParams& params);

  // Kept by what they were made from: a comparison asks for all of its metrics, picture by picture. Of networks for sets the last one.
  std::string clipKey_, networkKey_;
  std::unique_ptr<ClipScorer> clip_;
  std::map<std::string, PairMetric> pairs_;
  std::unique_ptr<FeatureNetwork> network_;
};

}  // namespace quantspot::service
