#include "study/statistics/mixed_logistic.h"

#include "study/statistics/mixed_interval.h"
#include "study/statistics/normal.h"
#include "study/statistics/optimize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// Rows that differ in nothing but their answer.
struct Cell {
  const MixedRow* row;
  double successes = 0, count = 0;
};

std::vector<Cell> cellsOf(const std::vector<MixedRow>& rows) {
  std::map<std::tuple<std::size_t, std::size_t, double, Vector>, Cell> found;
  for (const MixedRow& row : rows) {
    Cell& cell = found.try_emplace({row.participant, row.prompt, row.offset, row.predictors}, Cell{&row}).first->second;
    cell.successes += row.success;
    ++cell.count;
  }
  std::vector<Cell> cells;
  for (const auto& [key, cell] : found) cells.push_back(cell);
  return cells;
}

// What a logit shrinks by where a normal effect is averaged over: 1 / √(1 + this · its variance) (Zeger, Liang and Albert, Biometrics 44 (1988)).
constexpr double kAttenuation = 256 * 3 / (225 * std::numbers::pi * std::numbers::pi);

// The deviance as a function of (standard deviations, fixed effects), as lme4 has it: −2 log of Laplace's integral over
// spherical random effects u, whose mode is found again for every point.
class Laplace {
 public:
  explicit Laplace(const std::vector<MixedRow>& rows) : cells_(cellsOf(rows)) {
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
    const Maximum mode = findMode(at, fixedPart(at));
    mode_ = mode.at;   // a good start for the next point
    return -2 * mode.value + logDeterminant_;
  }

  // How far each group's own answers lie from the mean: its random effect before shrinking, by one step from the mode, and the information of
  // its answers.
  std::vector<Deviation> deviations(const Vector& at, std::size_t MixedRow::*member) {
    deviance(at);
    const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.member == member; });
    const std::size_t index = static_cast<std::size_t>(group - groups_.begin());
    const Vector linear = fixedPart(at);
    std::vector<Deviation> found(group->count);
    const Matrix whole = joint(at, linear, mode_).information;
    Vector residual(group->count), unknown(group->count);   // unknown: variance that is left of the other effects in its cells
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const std::size_t which = cells_[c].row->*member;
      const double p = 1 / (1 + std::exp(-linearAt(at, linear, mode_, c))), information = cells_[c].count * p * (1 - p);
      residual[which] += cells_[c].successes - cells_[c].count * p;
      found[which].information += information;
      for (std::size_t g = 0; g < groups_.size(); ++g)
        if (g != index) unknown[which] += information * at[g] * at[g] / whole(effect(g, c), effect(g, c));
    }
    for (std::size_t k = 0; k < found.size(); ++k) {
      if (!(found[k].information > 0)) continue;
      const double seen = at[index] * mode_[group->start + k] + residual[k] / found[k].information;
      found[k].shift = seen * std::sqrt(1 + kAttenuation * unknown[k] / found[k].information);
    }
    return found;
  }

 private:
  struct Group {
    std::size_t MixedRow::*member;
    std::size_t start, count;
  };

  Vector fixedPart(const Vector& at) const {
    Vector linear(cells_.size());
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      linear[c] = cells_[c].row->offset;
      for (std::size_t i = 0; i < cells_[c].row->predictors.size(); ++i) linear[c] += cells_[c].row->predictors[i] * at[terms() + i];
    }
    return linear;
  }

  double linearAt(const Vector& at, const Vector& linear, const Vector& u, std::size_t cell) const {
    double eta = linear[cell];
    for (std::size_t g = 0; g < groups_.size(); ++g) eta += at[g] * u[effect(g, cell)];
    return eta;
  }

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
      best.converged = decrement < 1e-16;   // before the step; after it about the square of that is left, more where spreads are wide
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
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const double eta = linearAt(at, linear, u, c), count = cells_[c].count, small = std::exp(-std::abs(eta));
      const double p = (eta > 0 ? 1 : small) / (1 + small);
      const double residual = cells_[c].successes - count * p, information = count * p * (1 - p);
      here.value += cells_[c].successes * eta - count * (std::max(eta, 0.0) + std::log1p(small));
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        here.gradient[effect(g, c)] += at[g] * residual;
        for (std::size_t h = 0; h < groups_.size(); ++h) here.information(effect(g, c), effect(h, c)) += at[g] * at[h] * information;
      }
    }
    return here;
  }

  std::size_t effect(std::size_t group, std::size_t cell) const { return groups_[group].start + cells_[cell].row->*groups_[group].member; }

  std::vector<Cell> cells_;   // point into the rows
  std::vector<Group> groups_;
  std::size_t effects_ = 0;
  Vector mode_;
  double logDeterminant_ = 0;
};

bool interceptOnly(const std::vector<MixedRow>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const MixedRow& row) { return row.predictors == Vector{1}; });
}

// The fixed effects alone: the start of the search, and where separation shows.
Vector plainLogistic(const std::vector<MixedRow>& rows) {
  const std::size_t p = rows[0].predictors.size();
  const std::vector<Cell> cells = cellsOf(rows);
  const Maximum fit = maximize([&](const Vector& beta) {
    Curvature here{.value = 0, .gradient = Vector(p), .information = Matrix(p, p)};
    for (const Cell& cell : cells) {
      const MixedRow& row = *cell.row;
      double eta = row.offset;
      for (std::size_t i = 0; i < p; ++i) eta += row.predictors[i] * beta[i];
      const double mean = 1 / (1 + std::exp(-eta));
      here.value += cell.successes * eta - cell.count * softplus(eta);
      for (std::size_t i = 0; i < p; ++i) {
        here.gradient[i] += row.predictors[i] * (cell.successes - cell.count * mean);
        for (std::size_t j = 0; j < p; ++j) here.information(i, j) += cell.count * mean * (1 - mean) * row.predictors[i] * row.predictors[j];
      }
    }
    return here;
  }, Vector(p));
  for (double value : fit.at)
    if (!(std::abs(value) < 15)) throw std::domain_error("the answers separate: a fixed effect has no finite estimate");
  return fit.at;
}

// Newton's steps on numeric derivatives, as long as they help. False when they did not lead to where they stand still: the deviance is flat or
// bends the other way where a standard deviation is 0.
bool polish(const std::function<double(const Vector&)>& deviance, Vector& at) {
  for (int i = 0; i < 8; ++i) {
    Vector to = at;
    double largest = 0;
    try {
      const Vector step = Cholesky(numericHessian(deviance, at, 1e-3)).solve(numericGradient(deviance, at, 1e-4));
      for (std::size_t k = 0; k < at.size(); ++k) {
        to[k] -= step[k];
        largest = std::max(largest, std::abs(step[k]));
      }
    } catch (const std::domain_error&) {
      return false;
    }
    if (!(deviance(to) <= deviance(at) + 1e-9)) return false;
    at = to;
    if (largest < 1e-7) return true;
  }
  return false;
}

// The simplex finds the hollow, Newton's steps its bottom; where those fail the simplex goes on alone.
Vector minimum(const std::function<double(const Vector&)>& deviance, const Vector& start) {
  Vector at = minimizeSimplex(deviance, start, 0.3, 1e-6);
  if (polish(deviance, at)) return at;
  at = minimizeSimplex(deviance, at, 0.1);
  polish(deviance, at);
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
  const Vector at = minimum(deviance, start);

  MixedFit result{.fixed = {}, .participant_sd = 0, .prompt_sd = 0, .log_likelihood = -deviance(at) / 2, .singular = false,
                  .half_width = {}};
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
  // Near separation spreads run away and the deviance is so flat that short steps measure its rounding.
  const Matrix covariance = Cholesky(numericHessian(inside, x, 1e-3 * std::max({1.0, result.participant_sd, result.prompt_sd}))).inverse();
  const double z = zForLevel(level);
  for (std::size_t k = 0; k < free.size(); ++k) {
    if (free[k] < term) continue;
    const double error = std::sqrt(covariance(k, k));
    result.fixed.push_back({x[k], error, {x[k] - z * error, x[k] + z * error}});
  }
  if (!laplace.has(&MixedRow::participant) || !interceptOnly(rows)) return result;
  const auto prompts = laplace.has(&MixedRow::prompt) ? laplace.deviations(at, &MixedRow::prompt) : std::vector<Deviation>();
  Estimate& mean = result.fixed[0];
  const double half = meanHalfWidth(mean.standard_error, laplace.deviations(at, &MixedRow::participant), result.participant_sd, prompts,
                                    result.prompt_sd, level);
  result.half_width = half;
  mean.interval = {mean.value - half, mean.value + half};
  return result;
}

}  // namespace quantspot::statistics
