// Small helpers for the tests of quant/.
#pragma once

#include "quant/quantizer.h"

#include <ATen/ATen.h>
#include <QString>

#include <exception>
#include <string>

namespace quantspot::quant::test {

// Normal values, the same for the same seed.
inline at::Tensor randomMatrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed = 1) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn({rows, columns}, generator, at::kFloat);
}

// The message of what `body` throws; empty when it does not.
template <class Body>
QString thrown(Body&& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return QString::fromUtf8(error.what());
  }
  return {};
}

inline double relativeError(const at::Tensor& got, const at::Tensor& wanted) {
  const at::Tensor w = wanted.to(at::kDouble);
  return (got.to(at::kDouble) - w).norm().item<double>() / (w.norm().item<double>() + 1e-300);
}

inline std::unique_ptr<Linear> packedLinear(std::string_view id, const at::Tensor& weight, std::optional<at::Tensor> bias = {}) {
  const Quantizer& q = quantizer(id);
  return q.linear(q.pack(weight), bias);
}

}  // namespace quantspot::quant::test
