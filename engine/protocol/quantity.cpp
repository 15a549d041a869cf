#include "engine/protocol/quantity.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace quantspot::protocol {

std::optional<Quantity> parseQuantity(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Quantity found;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found.value);
  if (error != std::errc{} || !std::isfinite(found.value)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  found.unit = unit;
  return found;
}

}  // namespace quantspot::protocol
