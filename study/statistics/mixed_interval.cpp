#include "study/statistics/mixed_interval.h"

#include "study/statistics/normal.h"

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
  const double freedom = std::max(1.0, count - 1);   // one alone: answers of the others carry no information
  return {1 / all, squares / (all * all) * count / freedom, freedom};
}

double squared(double x) { return x * x; }

}  // namespace

double meanHalfWidth(double standard_error, const std::vector<Deviation>& participants, double participant_sd,
                     const std::vector<Deviation>& prompts, double prompt_sd, double level) {
  const Variance people = between(participants, participant_sd, 1.0 / 12);
  double fitted = people.fitted, reach = squared(tForLevel(level, people.freedom)) * people.seen;
  if (prompts.size() > 1) {
    double information = 0;
    for (const Deviation& prompt : prompts) information += prompt.information;
    const Variance pictures = between(prompts, prompt_sd, 0);
    const double chance = 1 / information;   // what answers vary by alone
    fitted += pictures.fitted - chance;
    reach += squared(tForLevel(level, pictures.freedom)) * std::max(pictures.seen, chance) - squared(zForLevel(level)) * chance;
  }
  return standard_error * std::sqrt(reach / fitted);
}

}  // namespace quantspot::statistics
