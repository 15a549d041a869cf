// The standard normal distribution.
#pragma once

namespace quantspot::statistics {

inline constexpr double kZ95 = 1.959963984540054;   // two-sided 95 %

double normalDensity(double x);
double normalCdf(double x);
// Throws std::domain_error unless 0 < p < 1.
double normalQuantile(double p);
// Two-sided quantile of a confidence level: 1.96 for 0.95. Throws std::invalid_argument unless 0 < level < 1.
double zForLevel(double level);
// Student's t, two-sided, with that many degrees of freedom.
double tForLevel(double level, double freedom);

}  // namespace quantspot::statistics
