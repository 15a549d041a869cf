// A number with its unit, as people type it: the base of every option that takes a size or a share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace quantspot::protocol {

struct Quantity { double value = 0; std::string unit; };   // unit: what follows the number, without the spaces before it

// "6GiB", "500 MB", "-5%", "0.05" in every locale. Nothing when it begins with no finite number.
std::optional<Quantity> parseQuantity(std::string_view text);

}  // namespace quantspot::protocol
