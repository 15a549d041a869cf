#include "study/statistics/mixed_interval.h"

#include <algorithm>
#include <cmath>

namespace quantspot::statistics {
namespace {

// Of the weighted mean of the groups: its variance as the fitted spread has it, and as the groups themselves have it.
struct Variance {
  double fitted = 0, seen = 0, freedom = 0;
};

// rounding: variance of a count of answers that counting in whole answers hides.
Variance between(const std::vector<Deviation>& groups, double sd, double rounding) {
  double all = 0, squares = 0, count = 0;
  for (const Deviation& group : groups) {
    if (!(group.information > 0)) continue;
    const double weight = 1 / (sd * sd + 1 / group.information);
    all += weight;
    squares += weight * weight * (group.shift * group.shift + rounding / (group.information * group.information));
    ++count;
  }
  return {1 / all, squares / (all * all) * count / (count - 1), count - 1};
}

}  // namespace

MeanSpread meanSpread(double standard_error, const std::vector<Deviation>& participants, double participant_sd, const std::vector<Deviation>& prompts,
                      double prompt_sd) {
  const Variance people = between(participants, participant_sd, 1.0 / 12);
  double fitted = people.fitted, seen = people.seen, spread = people.seen * people.seen / people.freedom;
  if (prompts.size() > 1) {
    double information = 0;
    for (const Deviation& prompt : prompts) information += prompt.information;
    const Variance pictures = between(prompts, prompt_sd, 0);
    const double chance = 1 / information;   // what answers vary by alone; it is among the participants already
    const bool few = prompts.size() < kFewPrompts;
    const double shown = few ? std::max(pictures.seen, chance) : pictures.seen;
    fitted += pictures.fitted - chance;
    if (few || shown > chance) {
      seen += shown - chance;
      spread += shown * shown / pictures.freedom;
    }
  }
  return {standard_error * std::sqrt(seen / fitted), std::max(1.0, seen * seen / spread)};
}

}  // namespace quantspot::statistics
