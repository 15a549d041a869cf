#include "study/statistics/mixed_logistic.h"

#include "study/statistics/normal.h"
#include "study/statistics/optimize.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// The deviance as a function of (standard deviations, fixed effects), as lme4 has it: −2 log of Laplace's integral over
// spherical random effects u, whose mode is found again for every point.
class Laplace {
 public:
  explicit Laplace(const std::vector<MixedRow>& rows) : rows_(rows) {
    std::size_t participants = 0, prompts = 0;
    for (const MixedRow& row : rows) {
      participants = std::max(participants, row.participant + 1);
      prompts = std::max(prompts, row.prompt + 1);
    }
    if (participants > 1) groups_.push_back({&MixedRow::participant, 0, participants});
    if (prompts > 1) groups_.push_back({&MixedRow::prompt, groups_.empty() ? 0 : participants, prompts});
    for (const Group& group : groups_) effects_ += group.count;
    mode_.assign(effects_, 0.0);
  }

  std::size_t terms() const { return groups_.size(); }
  bool has(std::size_t MixedRow::*member) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) { return group.member == member; });
  }

  double deviance(const Vector& at) {
    Vector linear(rows_.size());
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      linear[r] = rows_[r].offset;
      for (std::size_t i = 0; i < rows_[r].predictors.size(); ++i) linear[r] += rows_[r].predictors[i] * at[terms() + i];
    }
    const Maximum mode = findMode(at, linear);
    mode_ = mode.at;   // a good start for the next point
    return -2 * mode.value + logDeterminant_;
  }

 private:
  struct Group {
    std::size_t MixedRow::*member;
    std::size_t start, count;
  };

  Maximum findMode(const Vector& at, const Vector& linear) {
    Maximum best{.at = mode_, .value = 0, .covariance = {}, .converged = false};
    Curvature here = joint(at, linear, best.at);
    for (int i = 0; i < 100 && !best.converged && effects_ > 0; ++i) {
      const Vector step = Cholesky(here.information).solve(here.gradient);
      double decrement = 0, length = 1;
      for (std::size_t k = 0; k < effects_; ++k) decrement += step[k] * here.gradient[k];
      Curvature there;
      Vector to;
      do {
        to = best.at;
        for (std::size_t k = 0; k < effects_; ++k) to[k] += length * step[k];
        there = joint(at, linear, to);
        length /= 2;
      } while (there.value < here.value - 1e-11 * std::abs(here.value) && length > 1e-8);
      best.at = std::move(to);
      here = std::move(there);
      best.converged = decrement < 1e-18;
    }
    best.value = here.value;
    logDeterminant_ = effects_ > 0 ? Cholesky(here.information).logDeterminant() : 0;
    return best;
  }

  // log p(y | u) − |u|² / 2, its gradient in u and the information.
  Curvature joint(const Vector& at, const Vector& linear, const Vector& u) const {
    Curvature here{.value = 0, .gradient = Vector(effects_), .information = Matrix(effects_, effects_)};
    for (std::size_t k = 0; k < effects_; ++k) {
      here.value -= u[k] * u[k] / 2;
      here.gradient[k] = -u[k];
      here.information(k, k) = 1;
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      double eta = linear[r];
      for (std::size_t g = 0; g < groups_.size(); ++g) eta += at[g] * u[effect(g, r)];
      const double p = 1 / (1 + std::exp(-eta)), residual = (rows_[r].success ? 1.0 : 0.0) - p;
      here.value += (rows_[r].success ? eta : 0.0) - softplus(eta);
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        here.gradient[effect(g, r)] += at[g] * residual;
        for (std::size_t h = 0; h < groups_.size(); ++h) here.information(effect(g, r), effect(h, r)) += at[g] * at[h] * p * (1 - p);
      }
    }
    return here;
  }

  std::size_t effect(std::size_t group, std::size_t row) const { return groups_[group].start + rows_[row].*groups_[group].member; }

  const std::vector<MixedRow>& rows_;
  std::vector<Group> groups_;
  std::size_t effects_ = 0;
  Vector mode_;
  double logDeterminant_ = 0;
};

// The fixed effects alone: the start of the search, and where separation shows.
Vector plainLogistic(const std::vector<MixedRow>& rows) {
  const std::size_t p = rows[0].predictors.size();
  const Maximum fit = maximize([&](const Vector& beta) {
    Curvature here{.value = 0, .gradient = Vector(p), .information = Matrix(p, p)};
    for (const MixedRow& row : rows) {
      double eta = row.offset;
      for (std::size_t i = 0; i < p; ++i) eta += row.predictors[i] * beta[i];
      const double mean = 1 / (1 + std::exp(-eta));
      here.value += (row.success ? eta : 0.0) - softplus(eta);
      for (std::size_t i = 0; i < p; ++i) {
        here.gradient[i] += row.predictors[i] * ((row.success ? 1.0 : 0.0) - mean);
        for (std::size_t j = 0; j < p; ++j) here.information(i, j) += mean * (1 - mean) * row.predictors[i] * row.predictors[j];
      }
    }
    return here;
  }, Vector(p));
  for (double value : fit.at)
    if (!(std::abs(value) < 15)) throw std::domain_error("the answers separate: a fixed effect has no finite estimate");
  return fit.at;
}

// Newton's steps on numeric derivatives, as long as they help: the simplex alone stops some 1e-6 away.
Vector polish(const std::function<double(const Vector&)>& deviance, Vector at) {
  for (int i = 0; i < 5; ++i) {
    try {
      const Vector step = Cholesky(numericHessian(deviance, at, 1e-3)).solve(numericGradient(deviance, at, 1e-4));
      Vector to = at;
      for (std::size_t k = 0; k < at.size(); ++k) to[k] -= step[k];
      if (!(deviance(to) <= deviance(at) + 1e-9)) break;
      at = to;
    } catch (const std::domain_error&) {
      break;   // flat where a standard deviation is 0
    }
  }
  return at;
}

void check(const std::vector<MixedRow>& rows) {
  if (rows.empty()) throw std::invalid_argument("there is no response to fit");
  for (const MixedRow& row : rows)
    if (row.predictors.empty() || row.predictors.size() != rows[0].predictors.size())
      throw std::invalid_argument("the rows have unequal numbers of predictors");
}

}  // namespace

MixedFit mixedLogistic(const std::vector<MixedRow>& rows, double level) {
  check(rows);
  Laplace laplace(rows);
  const auto deviance = [&](const Vector& at) { return laplace.deviance(at); };
  Vector start(laplace.terms(), 0.7);
  for (double value : plainLogistic(rows)) start.push_back(value);
  const Vector at = polish(deviance, minimizeSimplex(deviance, start, 0.3));

  MixedFit result{.fixed = {}, .participant_sd = 0, .prompt_sd = 0, .log_likelihood = -deviance(at) / 2, .singular = false};
  std::size_t term = 0;
  if (laplace.has(&MixedRow::participant)) result.participant_sd = std::abs(at[term++]);
  if (laplace.has(&MixedRow::prompt)) result.prompt_sd = std::abs(at[term++]);
  std::vector<std::size_t> free;   // a standard deviation at its bound 0 is held there
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (i >= term || std::abs(at[i]) > 1e-3) free.push_back(i);
    else result.singular = true;
  }
  const auto inside = [&](const Vector& x) {
    Vector full = at;
    for (std::size_t k = 0; k < free.size(); ++k) full[free[k]] = x[k];
    return deviance(full) / 2;
  };
  Vector x;
  for (std::size_t i : free) x.push_back(at[i]);
  const Matrix covariance = Cholesky(numericHessian(inside, x, 1e-3)).inverse();
  const double z = zForLevel(level);
  for (std::size_t k = 0; k < free.size(); ++k) {
    if (free[k] < term) continue;
    const double error = std::sqrt(covariance(k, k));
    result.fixed.push_back({x[k], error, {x[k] - z * error, x[k] + z * error}});
  }
  return result;
}

}  // namespace quantspot::statistics
