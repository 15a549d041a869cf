// Which layers a precision applies to: `id?skip=pattern,pattern&pattern=id2` (see README, "Policies").
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::quant {

struct Policy {
  std::string precision;                                    // of every layer that nothing below names
  std::vector<std::string> skip;                            // layers whose name contains one of these stay in the compute type
  std::vector<std::pair<std::string, std::string>> layers;  // pattern → precision id; the last match wins

  // The id of the precision that this layer gets, the reference's default skips included.
  std::string precisionOf(std::string_view layer) const;
  std::string text() const;                                 // back to the one-line form
};

// Throws std::invalid_argument with the offending part when the text or an id in it is not known.
Policy parsePolicy(std::string_view text);

}  // namespace quantspot::quant
