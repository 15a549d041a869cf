// What each constraint says of one precision.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision {

std::int64_t memoryLimit(const Question& question);
// With placement, need and checks; not ranked.
Candidate assess(const Question& question, const Option& option);

}  // namespace quantspot::decision
