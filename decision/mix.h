// A mix of bf16 and a lower precision, between those that fit and those that do not.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision {

// Bytes that the denoiser of a mix of bf16 and `low` may take in memory, its parts in turn, beside what the needier of the two takes for activations and
// reserve (`low` counts when it is an option). Throws std::invalid_argument, one line, when bf16 is no option or has no
// estimate, when it fits as it is, and when nothing is left beside the activations.
std::int64_t roomForMix(const Question& question, const std::string& low);

// A found policy as an option; its bits are those of bf16 times what it takes of bf16's weights.
Option mixOption(const Question& question, const std::string& policy, MemoryEstimate memory);

}  // namespace quantspot::decision
