#include "study/statistics/curve_likelihood.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace quantspot::statistics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMostSteps = 300;
constexpr double kEnough = 1e-14;   // of the log likelihood: what another step would gain
constexpr std::size_t kStarts = 3;

double logistic(double t) { return t < 0 ? std::exp(t) / (1 + std::exp(t)) : 1 / (1 + std::exp(-t)); }

double times(double count, double logarithm) { return count > 0 ? count * logarithm : 0.0; }

// The best few of many starts.
template <class Curve>
void keepBest(std::vector<Curve>& starts) {
  const std::size_t kept = std::min(kStarts, starts.size());
  std::partial_sort(starts.begin(), starts.begin() + static_cast<std::ptrdiff_t>(kept), starts.end(),
                    [](const Curve& a, const Curve& b) { return a.value > b.value; });
  starts.resize(kept);
}

}  // namespace

CurveLikelihood::CurveLikelihood(const std::vector<Level>& levels, const PsychometricOptions& options, std::size_t moved_at, double moved)
    : guess_(options.guess), top_(1 - options.lapse), span_(1 - options.guess - options.lapse) {
  checkLevels(levels, options);
  std::map<double, Point> found;
  for (const Level& level : levels) {
    if (level.trials == 0) continue;
    Point& point = found.try_emplace(level.x, Point{level.x, 0, 0}).first->second;
    point.right += level.correct, point.wrong += level.trials - level.correct;
  }
  const double low = found.begin()->first, high = found.rbegin()->first;
  middle_ = (low + high) / 2, half_ = (high - low) / 2, closest_ = high - low;
  for (auto& [x, point] : found) {
    if (!points_.empty()) closest_ = std::min(closest_, x - (middle_ + half_ * points_.back().z));
    points_.push_back({(x - middle_) / half_, point.right, point.wrong});
  }
  if (moved_at < points_.size()) {
    Point& point = points_[moved_at];
    const double by = std::clamp(moved, -point.right, point.wrong);
    point.right += by, point.wrong -= by;
  }
  findBest();
}

double CurveLikelihood::value(double intercept, double slope) const {
  double sum = 0;
  for (const Point& point : points_) {
    const double t = intercept + slope * point.z, s = logistic(t);
    // 1 − logistic(t) near 0 is kept by its logarithm
    const double up = guess_ > 0 ? std::log(guess_ + span_ * s) : std::log(span_) - (t < -30 ? -t : std::log1p(std::exp(-t)));
    const double down = top_ < 1 ? std::log(1 - top_ + span_ * logistic(-t)) : std::log(span_) - (t > 30 ? t : std::log1p(std::exp(t)));
    sum += times(point.right, up) + times(point.wrong, down);
  }
  return sum;
}

double CurveLikelihood::constant(const Point& point, double share) const {
  return times(point.right, std::log(share)) + times(point.wrong, std::log1p(-share));
}

double CurveLikelihood::level(double share) const {
  double sum = 0;
  for (const Point& point : points_) sum += constant(point, share);
  return sum;
}

double CurveLikelihood::levelLine() const {
  double right = 0, all = 0;
  for (const Point& point : points_) right += point.right, all += point.right + point.wrong;
  return level(std::clamp(right / all, guess_, top_));
}

// standing: the share at a level at z itself.
double CurveLikelihood::stepAt(double z, double towards, double standing) const {
  double sum = 0;
  for (const Point& point : points_) sum += constant(point, point.z == z ? standing : (point.z > z) == (towards > 0) ? top_ : guess_);
  return sum;
}

double CurveLikelihood::step(double towards) const {
  double best = -kInfinity;
  for (const Point& point : points_)
    best = std::max(best, stepAt(point.z, towards, std::clamp(point.right / (point.right + point.wrong), guess_, top_)));
  return best;
}

double CurveLikelihood::wanted(const Point& point) const {
  const double s = std::clamp((point.right / (point.right + point.wrong) - guess_) / span_, 0.02, 0.98);
  return std::log(s / (1 - s));
}

// By the logit of a level at which the curve's is t.
CurveLikelihood::Score CurveLikelihood::score(const Point& point, double t) const {
  const double s = logistic(t), c = logistic(-t);
  const double up = guess_ > 0 ? span_ * s * c / (guess_ + span_ * s) : c, down = top_ < 1 ? span_ * s * c / (1 - top_ + span_ * c) : s;
  return {point.right * up - point.wrong * down, (point.right + point.wrong) * up * down};
}

// The whole step, or the first of its halves that leads higher; false: none does.
bool CurveLikelihood::stepUp(Curve& at, double by_intercept, double by_slope) const {
  double size = 1;
  for (int halved = 0; halved < 40; ++halved, size /= 2) {
    Curve next{at.intercept + size * by_intercept, at.slope + size * by_slope, 0};
    next.value = value(next.intercept, next.slope);
    if (!(next.value > at.value)) continue;
    at = next;
    return true;
  }
  return false;
}

// Fisher scoring along one direction.
CurveLikelihood::Curve CurveLikelihood::climb(Curve at, double by_intercept, double by_slope) const {
  for (int i = 0; i < kMostSteps; ++i) {
    double gradient = 0, information = 0;
    for (const Point& point : points_) {
      const double x = by_intercept + by_slope * point.z;
      const Score one = score(point, at.intercept + at.slope * point.z);
      gradient += one.gradient * x;
      information += one.information * x * x;
    }
    if (!(information > 1e-250) || gradient * gradient / information < kEnough) break;
    const double size = gradient / information;
    if (!stepUp(at, size * by_intercept, size * by_slope)) break;
  }
  return at;
}

// Fisher scoring in both.
CurveLikelihood::Curve CurveLikelihood::climb2(Curve at) const {
  for (int i = 0; i < kMostSteps; ++i) {
    double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
    for (const Point& point : points_) {
      const Score one = score(point, at.intercept + at.slope * point.z);
      g0 += one.gradient, g1 += one.gradient * point.z;
      h00 += one.information, h01 += one.information * point.z, h11 += one.information * point.z * point.z;
    }
    const double determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 1e-13 * h00 * h11)) break;
    const double by0 = (h11 * g0 - h01 * g1) / determinant, by1 = (h00 * g1 - h01 * g0) / determinant;
    if (by0 * g0 + by1 * g1 < kEnough || !stepUp(at, by0, by1)) break;
  }
  return at;
}

// Curves of this slope that meet each level's own share, or run midway between two levels.
std::vector<double> CurveLikelihood::intercepts(double slope) const {
  std::vector<double> starts;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    starts.push_back(wanted(points_[i]) - slope * points_[i].z);
    if (i > 0) starts.push_back(-slope * (points_[i - 1].z + points_[i].z) / 2);
  }
  return starts;
}

void CurveLikelihood::findBest() {
  std::vector<Curve> starts;
  for (double steep = 0.3; steep < 400; steep *= 2)
    for (const double slope : {-steep, steep})
      for (const double intercept : intercepts(slope)) starts.push_back({intercept, slope, value(intercept, slope)});
  keepBest(starts);
  Curve top{0, 0, levelLine()};
  for (const Curve& start : starts)
    if (const Curve reached = climb2(start); reached.value > top.value + 1e-10) top = reached;
  best_ = {top.value, top.slope / half_, top.slope == 0 ? 0 : middle_ - half_ * top.intercept / top.slope};
  for (const double towards : {-1.0, 1.0})
    for (const Point& point : points_) {
      const double standing = std::clamp(point.right / (point.right + point.wrong), guess_, top_), there = stepAt(point.z, towards, standing);
      // steeper and steeper curves come near a step from below; a step that is no better than a level line is one
      const double tie = best_.slope == 0 || std::isinf(best_.slope) ? 1e-9 : -1e-9;
      if (there > best_.value + tie) best_ = {there, towards * kInfinity, middle_ + half_ * point.z};
    }
}

double CurveLikelihood::atSlope(double slope) const {
  if (std::isinf(slope)) return step(slope);
  if (slope == 0) return levelLine();
  const double scaled = slope * half_;
  std::vector<Curve> starts;
  for (const double intercept : intercepts(scaled)) starts.push_back({intercept, scaled, value(intercept, scaled)});
  keepBest(starts);
  double best = std::max(level(guess_), level(top_));
  for (const Curve& start : starts) best = std::max(best, climb(start, 1, 0).value);
  return best;
}

double CurveLikelihood::atThreshold(double threshold) const {
  if (std::isinf(threshold)) return levelLine();
  const double z = (threshold - middle_) / half_, middle = guess_ + span_ / 2;
  double best = std::max({level(middle), stepAt(z, -1, middle), stepAt(z, 1, middle)});
  std::vector<Curve> starts;
  const auto start = [&](double slope) { starts.push_back({-slope * z, slope, value(-slope * z, slope)}); };
  for (double steep = 0.25; steep < 400; steep *= 4)
    for (const double slope : {-steep, steep}) start(slope / std::max(1.0, std::abs(z)));
  for (const Point& point : points_)
    if (std::abs(point.z - z) > 1e-9) start(wanted(point) / (point.z - z));
  keepBest(starts);
  for (const Curve& from : starts) best = std::max(best, climb(from, -z, 1).value);
  return best;
}

}  // namespace quantspot::statistics
