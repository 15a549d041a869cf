#include "quant/kernels/int8.h"
#include "quant/kernels/rounding.h"

namespace quantspot::quant {
namespace {

float throughHalf(Bf16 x) { return static_cast<float>(static_cast<_Float16>(widen(x))); }

float rowScale(const Bf16* x, std::int64_t count, float threshold, std::uint8_t* outliers) {
  float scale = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float magnitude = __builtin_fabsf(throughHalf(x[i]));
    if (threshold > 0 && magnitude >= threshold)
      __atomic_store_n(outliers + i, 1, __ATOMIC_RELAXED);
    else if (!(magnitude <= scale))
      scale = magnitude;  // a NaN stays: nothing compares with it
    if (scale != scale) return scale;
  }
  return scale;
}

std::int32_t quantizeRow(const Bf16* x, std::int64_t count, float scale, const std::uint8_t* outliers, std::int8_t* codes) {
  const float factor = 1.0f / scale * 127.0f;
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool zero = !(scale > 0) || (outliers && outliers[i]);
    codes[i] = zero ? 0 : static_cast<std::int8_t>(__builtin_rintf(throughHalf(x[i]) * factor));
    sum += codes[i];
  }
  return sum;
}

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  for (std::int64_t panel = first; panel < last; ++panel)
    for (std::int64_t row = 0; row < p.rows; ++row) {
      std::int32_t sums[panelRows] = {};
      const std::uint8_t* weight = p.panels + panel * p.depth * panelRows * panelDepth;
      const std::int8_t* codes = p.codes + row * p.depth * panelDepth;
      for (std::int64_t k = 0; k < p.depth; ++k, weight += panelRows * panelDepth, codes += panelDepth)
        for (int lane = 0; lane < panelRows; ++lane)
          for (int i = 0; i < panelDepth; ++i) sums[lane] += weight[lane * panelDepth + i] * codes[i];
      const std::int64_t column = panel * panelRows;
      for (std::int64_t lane = 0; lane < panelRows && column + lane < p.columns; ++lane) {
        const auto sum = static_cast<float>(sums[lane] - 128 * p.rowSum[row]);
        const float value = sum * (p.rowScale[row] * p.columnScale[column + lane]) * int8Unscale;
        p.out[row * p.columns + column + lane] = roundToBf16(p.bias ? value + p.bias[column + lane] : value);
      }
    }
}

}  // namespace

const Int8Kernels& portableInt8Kernels() {
  static const Int8Kernels portable{rowScale, quantizeRow, product};
  return portable;
}

const Int8Kernels& int8Kernels() {
  static const Int8Kernels& fastest = avx512Int8Kernels() ? *avx512Int8Kernels() : portableInt8Kernels();
  return fastest;
}

}  // namespace quantspot::quant
