// One lane's part in the product of few activations with some rows of a packed weight, which is read once.
#pragma once

#include "quant/kernels/decode.cuh"

namespace quantspot::quant {

inline constexpr int lanes = 32;
inline constexpr std::int64_t mostFewRows = 16;  // rows of activations for which this is meant

struct FewJob {
  const Bf16* x = nullptr;  // (count, columns)
  std::int64_t count = 0;   // at most mostFewRows
  float* sums = nullptr;    // (count, rows of the weight)
};

// Rows of the weight that a warp takes at once: activations are loaded once for all of them.
template <int Most>
inline constexpr int rowsOfWarp = Most >= 4 ? 4 : 2;

QUANTSPOT_HD inline void loadRun(const Bf16* from, std::int64_t count, bool whole, float* to) {
  if (whole) {
    const EightBytes<8> low(reinterpret_cast<const std::uint8_t*>(from)), high(reinterpret_cast<const std::uint8_t*>(from + 4));
    for (int i = 0; i < 4; ++i) {
      to[i] = widen(static_cast<Bf16>(low.byte[2 * i] | low.byte[2 * i + 1] << 8));
      to[i + 4] = widen(static_cast<Bf16>(high.byte[2 * i] | high.byte[2 * i + 1] << 8));
    }
    return;
  }
  for (int i = 0; i < runLength; ++i) to[i] = i < count ? widen(from[i]) : 0.0f;
}

// sums[m][r] += the products of x's row m with the weight's row first + r, over the runs lane, lane + 32, …
template <int Most, class Decoder, int Rows = rowsOfWarp<Most>>
QUANTSPOT_HD inline void addLane(const Decoder& decoder, const FewJob& job, std::int64_t first, int lane, float (&sums)[Most][Rows]) {
  const std::int64_t columns = decoder.w.columns;
  const bool whole = columns % runLength == 0 && isAligned(job.x, 8);
  for (std::int64_t column = std::int64_t{lane} * runLength; column < columns; column += lanes * runLength) {
    float weight[Rows][runLength];
    for (int r = 0; r < Rows; ++r) {
      const std::int64_t row = first + r < decoder.w.rows ? first + r : first;  // beyond the last: computed and not stored
      decodeRun(decoder, row, column, columns - column, weight[r]);
    }
    for (int m = 0; m < Most; ++m) {
      if (m >= job.count) break;
      float x[runLength];
      loadRun(job.x + m * columns + column, columns - column, whole, x);
      for (int r = 0; r < Rows; ++r)
        for (int i = 0; i < runLength; ++i) sums[m][r] = __builtin_fmaf(x[i], weight[r][i], sums[m][r]);
    }
  }
}

// What the lane's total goes to, once all lanes have been added.
template <int Most, int Rows = rowsOfWarp<Most>>
QUANTSPOT_HD inline void storeSums(const FewJob& job, std::int64_t first, std::int64_t rows, const float (&sums)[Most][Rows]) {
  for (int m = 0; m < Most; ++m)
    for (int r = 0; r < Rows; ++r)
      if (m < job.count && first + r < rows) job.sums[m * rows + first + r] = sums[m][r];
}

}  // namespace quantspot::quant
