#include "quant/cpu_features.h"
#include "quant/kernels/dots.h"

namespace quantspot::quant {
namespace {

void add(const float* x, std::int64_t stride, std::int64_t rows, const float* weight, std::int64_t pitch, std::int64_t count, float (*sums)[dotRows]) {
  constexpr int lanes = 8;   // partial sums, which compilers put side by side
  for (std::int64_t m = 0; m < rows; ++m)
    for (int r = 0; r < dotRows; ++r) {
      const float *a = x + m * stride, *b = weight + r * pitch;
      float parts[lanes] = {};
      std::int64_t k = 0;
      for (; k + lanes <= count; k += lanes)
        for (int lane = 0; lane < lanes; ++lane) parts[lane] += a[k + lane] * b[k + lane];
      for (; k < count; ++k) parts[0] += a[k] * b[k];
      for (const float part : parts) sums[m][r] += part;
    }
}

}  // namespace

AddDots portableAddDots() { return add; }

AddDots addDots() {
  static const AddDots chosen = widest(avx512AddDots(), avx2AddDots(), portableAddDots());
  return chosen;
}

}  // namespace quantspot::quant
