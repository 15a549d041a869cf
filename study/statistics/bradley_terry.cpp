#include "study/statistics/bradley_terry.h"

#include "study/statistics/choice_model.h"
#include "study/statistics/normal.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace quantspot::statistics {
namespace {

using Reach = std::vector<std::vector<bool>>;

// Items reachable from 0 along edges; the graph is strongly connected when both directions reach everything.
bool reachesAll(const Reach& edges, bool forward) {
  std::vector<bool> seen(edges.size());
  std::vector<std::size_t> open{0};
  seen[0] = true;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    for (std::size_t to = 0; to < edges.size(); ++to)
      if (!seen[to] && (forward ? edges[at][to] : edges[to][at])) {
        seen[to] = true;
        open.push_back(to);
      }
  }
  for (bool s : seen)
    if (!s) return false;
  return true;
}

Reach edges(std::size_t items, const std::vector<PairCounts>& pairs, bool both_ways) {
  Reach won(items, std::vector<bool>(items));
  for (const PairCounts& pair : pairs) {
    const bool either = both_ways && pair.first_wins + pair.second_wins + pair.ties > 0;
    if (pair.first_wins > 0 || pair.ties > 0 || either) won[pair.first][pair.second] = true;
    if (pair.second_wins > 0 || pair.ties > 0 || either) won[pair.second][pair.first] = true;
  }
  return won;
}

void check(std::size_t items, const std::vector<PairCounts>& pairs, const PairOptions& options) {
  if (items < 2) throw std::invalid_argument("items=" + std::to_string(items) + ": a comparison needs 2 or more");
  for (const PairCounts& pair : pairs) {
    if (pair.first >= items || pair.second >= items || pair.first == pair.second)
      throw std::invalid_argument("pair " + std::to_string(pair.first) + ", " + std::to_string(pair.second) + ": must be two of "
          + std::to_string(items) + " items");
    if (!(pair.first_wins >= 0 && pair.second_wins >= 0 && pair.ties >= 0)) throw std::invalid_argument("a count of wins or ties is negative");
    if (pair.ties > 0 && !options.ties) throw std::invalid_argument("there are ties; ask for the model with ties (davidson)");
  }
  if (!reachesAll(edges(items, pairs, true), true))
    throw std::invalid_argument("some items were never compared with the others: their abilities are unknown");
}

// Item 0 has no parameter.
void addItem(Features& features, std::size_t item, double factor) {
  if (item > 0) features.push_back({item - 1, factor});
}

std::vector<ChoiceSet> choiceSets(std::size_t items, const std::vector<PairCounts>& pairs, const PairOptions& options) {
  std::vector<ChoiceSet> sets;
  const std::size_t tie = items - 1, order = tie + (options.ties ? 1 : 0);
  for (const PairCounts& pair : pairs) {
    Features first, second;
    addItem(first, pair.first, 1);
    addItem(second, pair.second, 1);
    if (options.order_effect) first.push_back({order, 1});
    ChoiceSet set{{first, second}, {pair.first_wins, pair.second_wins}};
    if (options.ties) {
      Features both{{tie, 1}};
      addItem(both, pair.first, 0.5);
      addItem(both, pair.second, 0.5);
      set.alternatives.push_back(both);
      set.counts.push_back(pair.ties);
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

// A fit that runs away: separation that the graph of wins does not show (only ties, or one side always preferred).
bool ranAway(const Maximum& fit) {
  for (double value : fit.at)
    if (!(std::abs(value) < 15)) return true;
  return !fit.converged;
}

}  // namespace

Abilities bradleyTerry(std::size_t items, const std::vector<PairCounts>& pairs, const PairOptions& options, bool reduce_bias) {
  check(items, pairs, options);
  const auto sets = choiceSets(items, pairs, options);
  const std::size_t parameters = items - 1 + (options.ties ? 1 : 0) + (options.order_effect ? 1 : 0);
  Abilities result;
  const Reach won = edges(items, pairs, false);
  result.separated = !reachesAll(won, true) || !reachesAll(won, false);
  Maximum fit;
  if (!result.separated && !reduce_bias) {
    try {
      fit = fitChoices(sets, parameters);
      result.separated = ranAway(fit);
    } catch (const std::domain_error&) {
      result.separated = true;
    }
  }
  result.bias_reduced = reduce_bias || result.separated;
  if (result.bias_reduced) fit = fitChoices(sets, parameters, true);
  const double z = zForLevel(options.level);
  const auto estimate = [&](std::size_t i) {
    const double error = std::sqrt(fit.covariance(i, i));
    return Estimate{fit.at[i], error, {fit.at[i] - z * error, fit.at[i] + z * error}};
  };
  result.items.push_back({0, 0, {0, 0}});
  for (std::size_t i = 0; i + 1 < items; ++i) result.items.push_back(estimate(i));
  if (options.ties) result.log_tie = estimate(items - 1);
  if (options.order_effect) result.log_order = estimate(parameters - 1);
  result.covariance = fit.covariance;
  result.log_likelihood = choiceCurvature(sets, fit.at, false).value;
  return result;
}

double eloPoints(double ability) { return ability * 400 / std::log(10.0); }

}  // namespace quantspot::statistics
