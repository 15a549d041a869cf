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

// Whether rows of x are runs that can be loaded at once.
QUANTSPOT_HD inline bool wholeRuns(const FewJob& job, std::int64_t columns) { return columns % runLength == 0 && isAligned(job.x, 16); }

QUANTSPOT_HD inline void loadRun(const Bf16* from, std::int64_t count, bool whole, float* to) {
  if (whole) {
    std::uint32_t pair[runLength / 2];
    __builtin_memcpy(pair, __builtin_assume_aligned(from, 16), sizeof pair);
    for (int i = 0; i < runLength / 2; ++i) {
      to[2 * i] = __builtin_bit_cast(float, pair[i] << 16);
      to[2 * i + 1] = __builtin_bit_cast(float, pair[i] & 0xffff0000);
    }
    return;
  }
  for (int i = 0; i < runLength; ++i) to[i] = i < count ? widen(from[i]) : 0.0f;
}

// The first row of the weight that a warp takes, of a block of fewWarps; and how many blocks there are.
inline constexpr int fewWarps = 4;
template <int Most>
QUANTSPOT_HD inline std::int64_t firstRowOf(std::int64_t block, int warp) { return (block * fewWarps + warp) * rowsOfWarp<Most>; }
template <int Most>
inline std::int64_t fewBlocks(std::int64_t rows) { return (rows + fewWarps * rowsOfWarp<Most> - 1) / (fewWarps * rowsOfWarp<Most>); }

// sums[m][r] += the products of x's row m with the weight's row first + r, over the runs lane, lane + 32, …
template <int Most, class Decoder, int Rows = rowsOfWarp<Most>>
QUANTSPOT_HD inline void addLane(const Decoder& decoder, const FewJob& job, std::int64_t first, int lane, float (&sums)[Most][Rows]) {
  const std::int64_t columns = decoder.w.columns;
  const bool whole = wholeRuns(job, columns);
  for (std::int64_t column = std::int64_t{lane} * runLength; column < columns; column += lanes * runLength) {
    float weight[Rows][runLength];
    QUANTSPOT_UNROLL for (int r = 0; r < Rows; ++r) {
      const std::int64_t row = first + r < decoder.w.rows ? first + r : first;  // beyond the last: computed and not stored
      decodeRun(decoder, row, column, columns - column, weight[r]);
    }
    QUANTSPOT_UNROLL for (int m = 0; m < Most; ++m) {
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
