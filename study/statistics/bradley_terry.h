// Abilities from paired comparisons.
#pragma once

#include "study/statistics/binomial.h"
#include "study/statistics/linear.h"

namespace quantspot::statistics {

// Answers about one ordered pair of items (indices from 0); `first` was shown left, or first.
struct PairCounts {
  std::size_t first = 0, second = 0;
  double first_wins = 0, second_wins = 0, ties = 0;
};

struct PairOptions {
  bool ties = false;          // Davidson, JASA 65 (1970): P(tie) ∝ ν √(πᵢ πⱼ)
  bool order_effect = false;  // Davidson and Beaver, Biometrics 33 (1977): the first item's π times γ
  double level = 0.95;
};

struct Estimate {
  double value = 0, standard_error = 0;
  Interval interval;          // value ± z · standard error
};

struct Abilities {
  std::vector<Estimate> items;        // log π; item 0 is the reference, 0 by definition
  Estimate log_tie, log_order;        // log ν, log γ; zeros when not asked for
  Matrix covariance;                  // of items 1…, then log ν, then log γ
  double log_likelihood = 0;
  bool separated = false;             // the plain fit has no finite maximum; what is given is the bias-reduced one
  bool bias_reduced = false;
};

// Plain maximum likelihood, or with reduce_bias, or under separation (some items never lost to the others), Firth's. Oracle:
// BradleyTerry2::BTm; with ties and for reduced bias an independent maximization in R. Throws std::invalid_argument when ties
// are given without PairOptions::ties, and when the comparisons leave items unconnected.
Abilities bradleyTerry(std::size_t items, const std::vector<PairCounts>& pairs, const PairOptions& options = {}, bool reduce_bias = false);

// The same ability on Elo's scale: 400 / ln 10 per unit. A rescaling only.
double eloPoints(double ability);

}  // namespace quantspot::statistics
