// Precisions that change over the steps: `bf16@0-3,bnb-nf4@4-` draws the first four steps in bf16, the rest in NF4.
#pragma once

#include "quant/policy.h"

namespace quantspot::quant {

struct StepSpan {
  Policy policy;
  int first = 0, last = -1;              // steps, counted from 0, both included; last −1: to the end
};

// One span when the text has no "@". Throws std::invalid_argument: as parsePolicy(), or spans that leave out or repeat a step,
// do not begin at 0, or compute in different types.
std::vector<StepSpan> parseSchedule(std::string_view text);

// Back to the one-line form.
std::string text(const std::vector<StepSpan>& schedule);

// The spans that a run of so many steps uses, the last one ending with it. Throws std::invalid_argument when the schedule ends before.
std::vector<StepSpan> spansFor(std::vector<StepSpan> schedule, int steps);

}  // namespace quantspot::quant
