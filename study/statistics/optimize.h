// Finding maxima and roots of the small functions that the fits here need.
#pragma once

#include "study/statistics/linear.h"

#include <functional>

namespace quantspot::statistics {

// A function's value at one point, its gradient and its information (minus the Hessian, or its expectation).
struct Curvature {
  double value = 0;
  Vector gradient;
  Matrix information;
};

struct Maximum {
  Vector at;
  double value = 0;
  Matrix covariance;         // inverse of the information there
  bool converged = false;
};

// Newton's method with halved steps, up to 200 of them, shortened to where the slope along one vanishes when it leads beyond that;
// converged when the Newton decrement is below 1e-20 of the scale 1.
// Throws std::domain_error where the information is singular.
Maximum maximize(const std::function<Curvature(const Vector&)>& function, Vector start);

// Nelder and Mead (1965), restarted until a restart gains less than ten times the tolerance, of the value.
Vector minimizeSimplex(const std::function<double(const Vector&)>& function, Vector start, double step, double tolerance = 1e-13);

// Hessian by central differences with the given step.
Matrix numericHessian(const std::function<double(const Vector&)>& function, const Vector& at, double step);
Vector numericGradient(const std::function<double(const Vector&)>& function, const Vector& at, double step);

// Where an increasing or decreasing function passes 0 between low and high, to the last digits (TOMS 748). Throws
// std::invalid_argument when it has the same sign at both ends.
double findRoot(const std::function<double(double)>& function, double low, double high);

}  // namespace quantspot::statistics
