// Which layers suffer from a precision: each alone (or each block) at it, the rest at the reference, by the error of the final latents.
// And the smallest policy that such a scan finds under a budget.
#pragma once

#include "engine/pipeline/sampler.h"

#include <map>

namespace quantspot::pipeline {

struct ScanRequest {
  SampleRequest sample;                  // model, device, recipe, progress, cancel; its policy is the reference, its prompt is not read
  quant::Policy low;                     // what is tried
  std::vector<std::string> prompts;      // picture i starts from the recipe's seed + i
  bool byBlock = false;                  // "transformer_blocks.3" as one, instead of each layer
  struct Known {
    std::int64_t before = 0, after = 0;
    double error = 0;
  };
  std::map<std::string, Known> known = {};   // groups of an earlier scan of the same, by name: they are not measured again
};

struct ScannedLayer {
  std::string name;
  quant::LayerKind kind = quant::LayerKind::Linear;
};

struct ScannedGroup {
  std::string name;                      // of the layer, or of the block
  std::vector<ScannedLayer> layers;      // that `low` holds otherwise than the reference
  std::int64_t before = 0, after = 0;    // bytes at the reference, at `low`
  // ‖x − r‖ / ‖r‖ of the final latents x against the reference's r, the root of the mean square over the prompts.
  double error = 0;
};

struct Scan {
  std::vector<ScannedGroup> groups;      // in the order of the model
  double all = 0;                        // error with every group at `low`
  std::int64_t bytesBefore = 0, bytesAfter = 0;   // of the whole denoiser
};

struct PolicyBudget {
  double error = 0;                      // highest error of the latents, or
  std::int64_t bytes = 0;                // highest size of the denoiser; the other one is 0
};

struct FoundPolicy {
  std::string policy;                    // text, as --precision takes it
  std::vector<std::string> low;          // groups at the low precision
  double predicted = 0, measured = 0;    // error: root of the sum of the groups' squares; of the whole model
  std::int64_t bytes = 0;
  int checks = 0;                        // whole models that were measured
};

// Holds the model once: a layer that changes sides is read and packed anew. Draws (groups + 2) · prompts pictures' latents; progress stage
// "scan".
class Sensitivity {
 public:
  // Loads and measures. Throws as Sampler::generateBatch does, and std::invalid_argument when `low` changes nothing.
  explicit Sensitivity(const ScanRequest& request);
  ~Sensitivity();
  const Scan& scan() const;
  // Greedy: groups by error² per byte saved, until the predicted error (or the size) meets the budget; then the whole model is
  // measured, and the prediction corrected by what it was off, until the budget is met. Throws std::invalid_argument when no policy
  // of these two precisions meets it.
  FoundPolicy find(const PolicyBudget& budget);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The policy of these two with fewest rules: `groups[i]` at `low` where low[i]. Other rules of both go along.
std::string mixedPolicy(const quant::Policy& reference, const quant::Policy& low, const std::vector<ScannedGroup>& groups, const std::vector<bool>& isLow);

}  // namespace quantspot::pipeline
