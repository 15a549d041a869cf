// Small dense linear algebra for fits with a few hundred parameters at most.
#pragma once

#include <cstddef>
#include <vector>

namespace quantspot::statistics {

using Vector = std::vector<double>;

// Row-major, zero at first.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), values_(rows * columns) {}
  double& operator()(std::size_t i, std::size_t j) { return values_[i * columns_ + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values_[i * columns_ + j]; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

 private:
  std::size_t rows_ = 0, columns_ = 0;
  Vector values_;
};

// Factor of a symmetric positive definite matrix. The constructor throws std::domain_error for any other.
class Cholesky {
 public:
  explicit Cholesky(Matrix matrix);
  Vector solve(Vector right) const;
  Matrix inverse() const;
  double logDeterminant() const;

 private:
  Matrix factor_;   // lower triangle
};

}  // namespace quantspot::statistics
