#include "study/statistics/plackett_luce.h"

#include "study/statistics/choice_model.h"
#include "study/statistics/normal.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

// A ranking is a choice of the best, then of the best of the rest, and so on.
std::vector<ChoiceSet> stages(std::size_t items, const std::vector<std::vector<std::size_t>>& rankings) {
  std::vector<ChoiceSet> sets;
  for (const auto& ranking : rankings) {
    if (ranking.size() < 2 || std::set(ranking.begin(), ranking.end()).size() != ranking.size())
      throw std::invalid_argument("a ranking must name 2 or more items, none twice");
    for (std::size_t item : ranking)
      if (item >= items) throw std::invalid_argument("a ranking names item " + std::to_string(item) + " of " + std::to_string(items));
    for (std::size_t stage = 0; stage + 1 < ranking.size(); ++stage) {
      ChoiceSet set;
      for (std::size_t k = stage; k < ranking.size(); ++k)
        set.alternatives.push_back(ranking[k] > 0 ? Features{{ranking[k] - 1, 1.0}} : Features{});
      set.counts.assign(set.alternatives.size(), 0);
      set.counts[0] = 1;
      sets.push_back(std::move(set));
    }
  }
  return sets;
}

// Everyone placed before someone else counts as a win; the maximum is finite when these wins connect all both ways.
std::vector<PairCounts> asPairs(const std::vector<std::vector<std::size_t>>& rankings) {
  std::vector<PairCounts> pairs;
  for (const auto& ranking : rankings)
    for (std::size_t a = 0; a < ranking.size(); ++a)
      for (std::size_t b = a + 1; b < ranking.size(); ++b) pairs.push_back({ranking[a], ranking[b], 1, 0, 0});
  return pairs;
}

}  // namespace

Abilities plackettLuce(std::size_t items, const std::vector<std::vector<std::size_t>>& rankings, double level) {
  const auto sets = stages(items, rankings);
  Abilities result;
  result.separated = bradleyTerry(items, asPairs(rankings)).separated;
  result.bias_reduced = result.separated;
  const Maximum fit = fitChoices(sets, items - 1, result.bias_reduced);
  const double z = zForLevel(level);
  result.items.push_back({0, 0, {0, 0}});
  for (std::size_t i = 0; i + 1 < items; ++i) {
    const double error = std::sqrt(fit.covariance(i, i));
    result.items.push_back({fit.at[i], error, {fit.at[i] - z * error, fit.at[i] + z * error}});
  }
  result.covariance = fit.covariance;
  result.log_likelihood = choiceCurvature(sets, fit.at, false).value;
  return result;
}

}  // namespace quantspot::statistics
