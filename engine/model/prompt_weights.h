// Emphasis in prompts, in the notation of AUTOMATIC1111's web UI that diffusers' community pipelines (lpw_stable_diffusion) read, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

struct WeightedText {
  std::string text;
  double weight = 1;
  bool operator==(const WeightedText&) const = default;
};

// "(word:1.2)" has the weight 1.2, "(word)" 1.1, "[word]" 1/1.1; they nest and multiply. A backslash before one of ( ) [ ] \ takes it as it
// is. What is not closed at the end counts as closed there. Neighbours of equal weight are one. Never empty.
std::vector<WeightedText> parseWeights(std::string_view prompt);

}  // namespace quantspot::model
