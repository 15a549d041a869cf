#include "decision/policy.h"

#include <algorithm>
#include <array>

namespace quantspot::decision {
namespace {

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Keys that set the precision itself, of all precisions together: no layer is called like one of them.
bool isOption(std::string_view key) {
  constexpr std::array known = {"blocksize", "threshold", "group", "weights"};
  return std::ranges::find(known, key) != known.end();
}

}  // namespace

PolicyParts policyParts(std::string_view policy) {
  PolicyParts parts;
  const std::size_t query = std::min(policy.find('?'), policy.size());
  parts.id = policy.substr(0, std::min(query, policy.find('@')));
  parts.schedule = policy.find('@') != policy.npos;
  if (parts.schedule || query == policy.size()) return parts;
  for (const std::string& rule : split(policy.substr(query + 1), '&')) {
    const std::size_t equals = std::min(rule.rfind('='), rule.size());
    const std::string key = rule.substr(0, equals), value = equals < rule.size() ? rule.substr(equals + 1) : "";
    if (key == "skip") parts.skip = split(value, ',');
    else if (isOption(key)) parts.options[key] = value;
    else parts.rules.emplace_back(key, value);
  }
  return parts;
}

std::string_view computeTypeOf(std::string_view id) {
  if (id == "fp32" || id.starts_with("int8-dynamic")) return "fp32";
  return id == "fp16" ? "fp16" : "bf16";
}

}  // namespace quantspot::decision
