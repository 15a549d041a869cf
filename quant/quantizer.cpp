#include "quant/quantizer.h"

#include <stdexcept>

namespace quantspot::quant {

std::int64_t QuantizedTensor::bytes() const {
  std::int64_t total = 0;
  for (const auto& [name, tensor] : parts) total += static_cast<std::int64_t>(tensor.nbytes());
  return total;
}

const at::Tensor& QuantizedTensor::part(std::string_view name) const {
  for (const auto& [known, tensor] : parts)
    if (known == name) return tensor;
  throw std::invalid_argument(precision + " weight has no part \"" + std::string(name) + "\"");
}

}  // namespace quantspot::quant
