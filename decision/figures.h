// Figures as sentences have them.
#pragma once

#include "decision/evidence.h"

#include <cstdint>
#include <string>

namespace quantspot::decision {

std::string gib(std::int64_t bytes);                     // "12.3 GiB", "168 MiB"
std::string seconds(double value);                       // "4.1 s", "0.31 s"
std::string percent(double share, int decimals = 1);     // 0.021 → "2.1 %"
std::string sizeText(int width, int height);             // "128 × 128", "the model's own size" for 0
std::string gradeText(const Figure& rating);             // "4.2 of 5 (3.9 to 4.5)"
std::string originText(const Figure& figure);            // "N = 48, report.json of evaluation, 2026-11-20"
std::string signedPercent(double share);                 // "−2.1 %", "+0.4 %"

}  // namespace quantspot::decision
