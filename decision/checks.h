// What each constraint says of one precision.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision {

std::int64_t memoryLimit(const Question& question);
// Whether pictures of the size that is asked for were timed, as far as both are told.
bool sameSize(const Question& question, const Timing& timing);
// With placement, need and checks; not ranked.
Candidate assess(const Question& question, const Option& option);

}  // namespace quantspot::decision
