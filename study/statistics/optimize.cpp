#include "study/statistics/optimize.h"

#include <boost/math/tools/toms748_solve.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace quantspot::statistics {
namespace {

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

Vector along(const Vector& from, const Vector& direction, double length) {
  Vector to = from;
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += length * direction[i];
  return to;
}

struct Corner {
  Vector at;
  double value;
};
using Function = std::function<double(const Vector&)>;

std::vector<Corner> simplex(const Function& function, const Vector& start, double step) {
  std::vector<Corner> corners{{start, function(start)}};
  for (std::size_t i = 0; i < start.size(); ++i) {
    Vector at = start;
    at[i] += step;
    corners.push_back({at, function(at)});
  }
  return corners;
}

Corner between(const Function& function, const Vector& center, const Vector& worst, double factor) {
  Vector at = center;
  for (std::size_t i = 0; i < at.size(); ++i) at[i] += factor * (worst[i] - center[i]);
  return {at, function(at)};
}

// One replacement of the worst corner (corners are sorted, best first).
void moveWorst(const Function& function, std::vector<Corner>& corners) {
  const std::size_t n = corners.size() - 1;
  Vector center(corners[0].at.size());
  for (std::size_t c = 0; c < n; ++c)
    for (std::size_t i = 0; i < center.size(); ++i) center[i] += corners[c].at[i] / static_cast<double>(n);
  const Corner mirrored = between(function, center, corners[n].at, -1);
  if (mirrored.value < corners[0].value) {
    const Corner further = between(function, center, corners[n].at, -2);
    corners[n] = further.value < mirrored.value ? further : mirrored;
  } else if (mirrored.value < corners[n - (n > 0 ? 1 : 0)].value) {
    corners[n] = mirrored;
  } else {
    const bool outside = mirrored.value < corners[n].value;
    const Corner nearer = between(function, center, corners[n].at, outside ? -0.5 : 0.5);
    if (nearer.value < std::min(mirrored.value, corners[n].value)) {
      corners[n] = nearer;
    } else {
      for (std::size_t c = 1; c <= n; ++c) corners[c] = between(function, corners[0].at, corners[c].at, 0.5);
    }
  }
}

Corner descend(const Function& function, const Vector& start, double step, double tolerance) {
  auto corners = simplex(function, start, step);
  const auto better = [](const Corner& a, const Corner& b) { return a.value < b.value; };
  for (std::size_t i = 0; i < 400 * (start.size() + 1); ++i) {
    std::sort(corners.begin(), corners.end(), better);
    if (corners.back().value - corners.front().value < tolerance * (1 + std::abs(corners.front().value))) break;
    moveWorst(function, corners);
  }
  return *std::min_element(corners.begin(), corners.end(), better);
}

}  // namespace

Maximum maximize(const std::function<Curvature(const Vector&)>& function, Vector start) {
  Maximum best{.at = std::move(start), .value = 0, .covariance = {}, .converged = false};
  Curvature here = function(best.at);
  for (int i = 0; i < 200 && !best.converged; ++i) {
    const Vector step = Cholesky(here.information).solve(here.gradient);
    if (dot(step, here.gradient) < 1e-20) best.converged = true;
    double length = 1;
    Vector to = along(best.at, step, length);
    Curvature there = function(to);
    // Beyond the top, as happens where the information is only expected: unshortened, such steps go to and fro about it for ever.
    const double rise = dot(step, here.gradient), left = dot(step, there.gradient);
    if (left < -0.1 * rise) {
      to = along(best.at, step, length = rise / (rise - left));
      there = function(to);
    }
    while (!(there.value >= here.value - 1e-12 * (1 + std::abs(here.value))) && length > 1e-6) {
      length /= 2;
      to = along(best.at, step, length);
      there = function(to);
    }
    if (length <= 1e-6) break;
    best.at = std::move(to);
    here = std::move(there);
  }
  best.value = here.value;
  best.covariance = Cholesky(here.information).inverse();
  return best;
}

Vector minimizeSimplex(const Function& function, Vector start, double step, double tolerance) {
  Corner best = descend(function, start, step, tolerance);
  for (int restart = 0; restart < 20; ++restart) {
    const Corner next = descend(function, best.at, step / 4, tolerance);
    const bool done = best.value - next.value < 10 * tolerance * (1 + std::abs(best.value));
    if (next.value < best.value) best = next;
    if (done) break;
  }
  return best.at;
}

Vector numericGradient(const Function& function, const Vector& at, double step) {
  Vector gradient(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    Vector up = at, down = at;
    up[i] += step;
    down[i] -= step;
    gradient[i] = (function(up) - function(down)) / (2 * step);
  }
  return gradient;
}

Matrix numericHessian(const Function& function, const Vector& at, double step) {
  const std::size_t n = at.size();
  Matrix hessian(n, n);
  const double middle = function(at);
  const auto moved = [&](std::size_t i, double a, std::size_t j, double b) {
    Vector to = at;
    to[i] += a * step;
    to[j] += b * step;
    return function(to);
  };
  for (std::size_t i = 0; i < n; ++i) {
    hessian(i, i) = (moved(i, 1, i, 0) - 2 * middle + moved(i, -1, i, 0)) / (step * step);
    for (std::size_t j = 0; j < i; ++j)
      hessian(i, j) = hessian(j, i) = (moved(i, 1, j, 1) - moved(i, 1, j, -1) - moved(i, -1, j, 1) + moved(i, -1, j, -1)) / (4 * step * step);
  }
  return hessian;
}

double findRoot(const std::function<double(double)>& function, double low, double high) {
  const double at_low = function(low), at_high = function(high);
  if (at_low == 0) return low;
  if (at_high == 0) return high;
  if ((at_low > 0) == (at_high > 0))
    throw std::invalid_argument("no root between " + std::to_string(low) + " and " + std::to_string(high));
  std::uintmax_t steps = 200;
  const auto bracket = boost::math::tools::toms748_solve(function, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(50), steps);
  return (bracket.first + bracket.second) / 2;
}

}  // namespace quantspot::statistics
