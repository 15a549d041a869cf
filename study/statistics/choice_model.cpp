#include "study/statistics/choice_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace quantspot::statistics {
namespace {

double score(const Features& features, const Vector& parameters) {
  double sum = 0;
  for (const auto& [index, factor] : features) sum += factor * parameters[index];
  return sum;
}

Vector probabilities(const ChoiceSet& set, const Vector& parameters) {
  Vector share;
  for (const Features& alternative : set.alternatives) share.push_back(score(alternative, parameters));
  const double most = *std::max_element(share.begin(), share.end());
  double sum = 0;
  for (double& s : share) sum += s = std::exp(s - most);
  for (double& s : share) s /= sum;
  return share;
}

// Features of each alternative minus their mean under the probabilities, dense.
std::vector<Vector> centered(const ChoiceSet& set, const Vector& share, std::size_t parameters) {
  Vector mean(parameters);
  for (std::size_t k = 0; k < share.size(); ++k)
    for (const auto& [index, factor] : set.alternatives[k]) mean[index] += share[k] * factor;
  std::vector<Vector> rows;
  for (const Features& alternative : set.alternatives) {
    Vector row(parameters);
    for (std::size_t i = 0; i < parameters; ++i) row[i] = -mean[i];
    for (const auto& [index, factor] : alternative) row[index] += factor;
    rows.push_back(std::move(row));
  }
  return rows;
}

double quadratic(const Matrix& matrix, const Vector& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) sum += x[i] * matrix(i, j) * x[j];
  return sum;
}

// Adds log|information| / 2 and its gradient: tr(information⁻¹ ∂information/∂r) / 2, where the derivative is the third
// central moment of the features.
void addFirth(const std::vector<ChoiceSet>& sets, const Vector& parameters, Curvature& here) {
  const Cholesky factor(here.information);
  const Matrix inverse = factor.inverse();
  here.value += factor.logDeterminant() / 2;
  for (const ChoiceSet& set : sets) {
    const double n = std::accumulate(set.counts.begin(), set.counts.end(), 0.0);
    const Vector share = probabilities(set, parameters);
    const auto rows = centered(set, share, parameters.size());
    for (std::size_t k = 0; k < share.size(); ++k) {
      const double weight = n * share[k] * quadratic(inverse, rows[k]) / 2;
      for (std::size_t r = 0; r < parameters.size(); ++r) here.gradient[r] += weight * rows[k][r];
    }
  }
}

}  // namespace

Curvature choiceCurvature(const std::vector<ChoiceSet>& sets, const Vector& parameters, bool reduce_bias) {
  const std::size_t p = parameters.size();
  Curvature here{.value = 0, .gradient = Vector(p), .information = Matrix(p, p)};
  for (const ChoiceSet& set : sets) {
    const double n = std::accumulate(set.counts.begin(), set.counts.end(), 0.0);
    const Vector share = probabilities(set, parameters);
    const auto rows = centered(set, share, p);
    for (std::size_t k = 0; k < share.size(); ++k) {
      if (set.counts[k] > 0) here.value += set.counts[k] * std::log(share[k]);
      for (std::size_t i = 0; i < p; ++i) {
        here.gradient[i] += set.counts[k] * rows[k][i];
        for (std::size_t j = 0; j < p; ++j) here.information(i, j) += n * share[k] * rows[k][i] * rows[k][j];
      }
    }
  }
  if (reduce_bias) addFirth(sets, parameters, here);
  return here;
}

Maximum fitChoices(const std::vector<ChoiceSet>& sets, std::size_t parameters, bool reduce_bias) {
  return maximize([&](const Vector& at) { return choiceCurvature(sets, at, reduce_bias); }, Vector(parameters));
}

}  // namespace quantspot::statistics
