// Tables of names: patterns of one naming, and what they are called in another.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quantspot::model {

// '#' is a whole number, and a '*' at the end whatever remains; in the other name they stand in the same order. '~' there is a number counted
// from the other end.
struct NameRule {
  std::string_view from, to;
};

// The name by the first rule that fits; nothing where none does. last: the highest number that '~' turns about.
std::optional<std::string> translate(std::span<const NameRule> rules, std::string_view name, std::int64_t last = 0);

}  // namespace quantspot::model
