#include "study/statistics/linear.h"

#include <cmath>
#include <stdexcept>

namespace quantspot::statistics {

Cholesky::Cholesky(Matrix matrix) : factor_(std::move(matrix)) {
  const std::size_t n = factor_.rows();
  for (std::size_t j = 0; j < n; ++j) {
    double pivot = factor_(j, j);
    for (std::size_t k = 0; k < j; ++k) pivot -= factor_(j, k) * factor_(j, k);
    // Relative to the diagonal: what is left by cancellation alone is no pivot.
    if (!(pivot > 1e-14 * std::abs(factor_(j, j))))
      throw std::domain_error("the matrix is not positive definite: the data do not determine every parameter");
    factor_(j, j) = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = factor_(i, j);
      for (std::size_t k = 0; k < j; ++k) sum -= factor_(i, k) * factor_(j, k);
      factor_(i, j) = sum / factor_(j, j);
    }
  }
}

Vector Cholesky::solve(Vector right) const {
  const std::size_t n = factor_.rows();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) right[i] -= factor_(i, k) * right[k];
    right[i] /= factor_(i, i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) right[i] -= factor_(k, i) * right[k];
    right[i] /= factor_(i, i);
  }
  return right;
}

Matrix Cholesky::inverse() const {
  const std::size_t n = factor_.rows();
  Matrix result(n, n);
  for (std::size_t j = 0; j < n; ++j) {
    Vector unit(n);
    unit[j] = 1;
    const Vector column = solve(unit);
    for (std::size_t i = 0; i < n; ++i) result(i, j) = column[i];
  }
  return result;
}

double Cholesky::logDeterminant() const {
  double sum = 0;
  for (std::size_t i = 0; i < factor_.rows(); ++i) sum += 2 * std::log(factor_(i, i));
  return sum;
}

}  // namespace quantspot::statistics
