// The one-line form of a policy, as far as decisions need it: `id?option=value&skip=a,b&pattern=id2` (README, "Policies"). The engine
// checks ids and patterns; this only takes the text apart.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::decision {

struct PolicyParts {
  std::string id;                                          // "bnb-nf4"
  std::map<std::string, std::string> options;              // "group" → "64"
  std::vector<std::string> skip;                           // patterns that stay in the compute type
  std::vector<std::pair<std::string, std::string>> rules;  // pattern → id, in order
  bool schedule = false;                                   // precisions change over the steps ("bf16@0-3,…"); then only `id` is set
};

PolicyParts policyParts(std::string_view policy);

// "fp32", "bf16", "fp16": the type in which a precision of this id computes.
std::string_view computeTypeOf(std::string_view id);

}  // namespace quantspot::decision
