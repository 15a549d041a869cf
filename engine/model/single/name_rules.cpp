#include "engine/model/single/name_rules.h"

#include <charconv>
#include <vector>

namespace quantspot::model {
namespace {

struct Match {
  std::vector<std::int64_t> numbers;
  std::string_view rest;
};

std::optional<Match> match(std::string_view pattern, std::string_view name) {
  Match found;
  for (; !pattern.empty(); pattern.remove_prefix(1)) {
    if (pattern == "*") {
      found.rest = name;
      return found;
    }
    if (pattern.front() == '#') {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (error != std::errc() || number < 0 || number > 1000) return {};
      name.remove_prefix(static_cast<std::size_t>(end - name.data()));
      found.numbers.push_back(number);
    } else {
      if (name.empty() || name.front() != pattern.front()) return {};
      name.remove_prefix(1);
    }
  }
  if (!name.empty()) return {};
  return found;
}

}  // namespace

std::optional<std::string> translate(std::span<const NameRule> rules, std::string_view name, std::int64_t last) {
  for (const NameRule& rule : rules) {
    const auto found = match(rule.from, name);
    if (!found) continue;
    std::string result;
    std::size_t number = 0;
    for (const char c : rule.to)
      if (c == '#') result += std::to_string(found->numbers.at(number++));
      else if (c == '~') result += std::to_string(last - found->numbers.at(number++));
      else if (c == '*') result += found->rest;
      else result += c;
    return result;
  }
  return {};
}

}  // namespace quantspot::model
