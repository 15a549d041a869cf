// Figures as sentences have them.
#pragma once

#include <cstdint>
#include <string>

namespace quantspot::decision {

std::string gib(std::int64_t bytes);                     // "12.3 GiB", "0.04 GiB", below 0.01 GiB in MiB
std::string seconds(double value);                       // "4.1 s", "0.31 s"
std::string percent(double share, int decimals = 1);     // 0.021 → "2.1 %"
std::string signedPercent(double share);                 // "−2.1 %", "+0.4 %"

}  // namespace quantspot::decision
