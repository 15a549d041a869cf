// The parts of integer products on a device: rows of activations to 8 bits, exact sums, and what becomes of them. The arithmetic
// is that of int8_rows.h, which the CPU uses.
#pragma once

#include "quant/kernels/decode.cuh"
#include "quant/kernels/few_body.cuh"
#include "quant/kernels/half.h"
#include "quant/kernels/int8.h"

namespace quantspot::quant {

// How activations find their codes.
enum class RowRule : std::uint8_t {
  Bnb,      // fp16(x) by the largest below the threshold; outlier columns are 0
  TorchAo,  // bf16(largest / 127.5) for each row
  Quanto,   // one scale, given
  Fbgemm,   // fp32 x; one scale and a zero point, given
  Fp8       // bf16(largest / 448) for each row; codes are e4m3fn
};

struct RowsJob {
  RowRule rule = RowRule::TorchAo;
  const void* x = nullptr;               // (rows, columns), bf16 or (Fbgemm) fp32
  std::int64_t rows = 0, columns = 0;
  float threshold = 0;                   // Bnb; 0: no column is an outlier
  float scale = 1;                       // Quanto, Fbgemm
  std::int32_t zero = 0;                 // Fbgemm
  float* scales = nullptr;               // (rows)
  std::uint8_t* outliers = nullptr;      // Bnb: (columns), 0 before and 1 after where a column is one
  std::uint8_t* codes = nullptr;         // (rows, columns), i8 or e4m3fn
};

QUANTSPOT_HD inline float halfOf(float value) { return widenHalf(roundToHalf(value)); }
QUANTSPOT_HD inline std::uint32_t bitsOf(float value) { return __builtin_bit_cast(std::uint32_t, value); }

// Bits of the largest magnitude among every `threads`-th element of a row from `thread` on; magnitudes are ordered as their bits,
// NaN above all. Marks outlier columns.
QUANTSPOT_HD inline std::uint32_t largestBits(const RowsJob& job, std::int64_t row, int thread, int threads) {
  const auto* x = static_cast<const Bf16*>(job.x) + row * job.columns;
  std::uint32_t largest = 0;
  for (std::int64_t i = thread; i < job.columns; i += threads) {
    std::uint32_t magnitude = bitsOf(widen(x[i])) & 0x7fffffff;
    if (job.rule == RowRule::Bnb) {
      magnitude = bitsOf(halfOf(__builtin_bit_cast(float, magnitude)));
      if (job.threshold > 0 && __builtin_bit_cast(float, magnitude) >= job.threshold) {
        job.outliers[i] = 1;  // many threads may write it, all the same
        continue;
      }
    }
    largest = largest < magnitude ? magnitude : largest;
  }
  return largest;
}

QUANTSPOT_HD inline float rowScaleFrom(RowRule rule, std::uint32_t bits) {
  const float largest = __builtin_bit_cast(float, bits);
  if (rule == RowRule::Bnb || largest != largest) return largest;
  if (rule == RowRule::Fp8) return bf16Of(largest / 448.0f);
  const float scale = bf16Of(largest / 127.5f);
  return scale < 0x1p-23f ? 0x1p-23f : scale;
}

QUANTSPOT_HD inline float within(float value, float low, float high) {  // a NaN becomes `low`
  value = value > low ? value : low;
  return value < high ? value : high;
}

// To nearest, ties to even; |value| at most 448, or NaN.
QUANTSPOT_HD inline std::uint8_t toE4m3(float value) {
  const std::uint32_t bits = bitsOf(value), sign = bits >> 24 & 0x80, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return 0x7f;
  if (rest < 0x3c800000)  // below 2^-6: counts of 2^-9
    return static_cast<std::uint8_t>(sign | (bitsOf(__builtin_bit_cast(float, rest) * 0x1p9f + 0x1p23f) & 0xf));
  return static_cast<std::uint8_t>(sign | ((rest + 0x7ffff + (rest >> 20 & 1) - (120u << 23)) >> 20));
}

// What the codes of a row multiply by, computed once for the row.
struct RowFactor {
  float value;
  QUANTSPOT_HD RowFactor(const RowsJob& job, std::int64_t row)
      : value(job.rule == RowRule::Bnb ? 1.0f / job.scales[row] * 127.0f
              : job.rule == RowRule::TorchAo ? 1.0f / job.scales[row]
              : job.rule == RowRule::Fp8 ? job.scales[row]
              : job.rule == RowRule::Fbgemm ? 1.0f / job.scale : job.scale) {}
};

QUANTSPOT_HD inline std::uint8_t rowCode(const RowsJob& job, std::int64_t row, std::int64_t column, float factor) {
  const std::int64_t at = row * job.columns + column;
  const auto wide = [&] { return widen(static_cast<const Bf16*>(job.x)[at]); };
  const auto code = [](float value, float low, float high) {
    return static_cast<std::uint8_t>(static_cast<std::int32_t>(within(__builtin_rintf(value), low, high)));
  };
  switch (job.rule) {
    case RowRule::Bnb: {
      const bool zero = !(job.scales[row] > 0) || (job.threshold > 0 && job.outliers[column]);
      return zero ? 0 : code(halfOf(wide()) * factor, -128, 127);
    }
    case RowRule::TorchAo: return code(wide() * factor, -128, 127);
    case RowRule::Quanto: return code(bf16Of(wide() / factor), -128, 127);
    case RowRule::Fbgemm: {
      const auto zero = static_cast<float>(job.zero);
      return code(static_cast<const float*>(job.x)[at] * factor, -zero, 127 - zero);
    }
    case RowRule::Fp8: {
      const float value = wide() / factor;
      return value != value ? 0 : toE4m3(within(value, -448, 448));  // a row of zeros: 0 / 0
    }
  }
  return 0;
}

// sums (count, rows) of codes (count, columns) times weight (rows, columns), each exact while columns < 2^17.
struct Int8SumsJob {
  const std::int8_t *codes = nullptr, *weight = nullptr;
  std::int64_t count = 0, rows = 0, columns = 0;
  std::int32_t* sums = nullptr;
};

inline constexpr int int8RowsOfWarp = 4, int8Warps = 4;
inline constexpr std::int64_t mostBlocksDown = 65535;

// The grid: blocks along the weight's rows, and down the activations, which a block takes in strides of all that many.
inline std::int64_t int8BlocksAcross(std::int64_t rows) { return (rows + int8Warps * int8RowsOfWarp - 1) / (int8Warps * int8RowsOfWarp); }
inline std::int64_t int8BlocksDown(std::int64_t count) {
  const std::int64_t blocks = (count + mostFewRows - 1) / mostFewRows;
  return blocks < mostBlocksDown ? blocks : mostBlocksDown;
}
QUANTSPOT_HD inline std::int64_t int8FirstRow(std::int64_t block, int warp) { return (block * int8Warps + warp) * int8RowsOfWarp; }

QUANTSPOT_HD inline std::int32_t dotOfFour(std::uint32_t a, std::uint32_t b, std::int32_t sum) {
#ifdef __CUDA_ARCH__
  return __dp4a(static_cast<int>(a), static_cast<int>(b), sum);
#else
  for (int i = 0; i < 32; i += 8) sum += static_cast<std::int8_t>(a >> i) * static_cast<std::int8_t>(b >> i);
  return sum;
#endif
}

// Codes column … column + 3 of a row; zeros beyond the last column.
QUANTSPOT_HD inline std::uint32_t fourCodes(const std::int8_t* row, std::int64_t column, std::int64_t columns, bool whole) {
  std::uint32_t four = 0;
  if (whole)
    __builtin_memcpy(&four, __builtin_assume_aligned(row + column, 4), sizeof four);
  else
    for (int i = 0; i < 4 && column + i < columns; ++i) four |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(row[column + i])) << 8 * i;
  return four;
}

// The lane's share of the sums of codes begin … begin + 15 with the weight's rows first … first + 3.
QUANTSPOT_HD inline void addInt8Lane(const Int8SumsJob& job, std::int64_t begin, std::int64_t first, int lane,
                                     std::int32_t (&sums)[mostFewRows][int8RowsOfWarp]) {
  const bool whole = job.columns % 4 == 0 && isAligned(job.codes, 4) && isAligned(job.weight, 4);
  for (std::int64_t column = 4 * lane; column < job.columns; column += 4 * lanes) {
    std::uint32_t weight[int8RowsOfWarp];
    for (int r = 0; r < int8RowsOfWarp; ++r)
      weight[r] = first + r < job.rows ? fourCodes(job.weight + (first + r) * job.columns, column, job.columns, whole) : 0;
    for (int m = 0; m < mostFewRows; ++m) {
      if (begin + m >= job.count) break;
      const std::uint32_t codes = fourCodes(job.codes + (begin + m) * job.columns, column, job.columns, whole);
      for (int r = 0; r < int8RowsOfWarp; ++r) sums[m][r] = dotOfFour(codes, weight[r], sums[m][r]);
    }
  }
}

QUANTSPOT_HD inline void storeInt8Sums(const Int8SumsJob& job, std::int64_t begin, std::int64_t first,
                                       const std::int32_t (&sums)[mostFewRows][int8RowsOfWarp]) {
  for (int m = 0; m < mostFewRows; ++m)
    for (int r = 0; r < int8RowsOfWarp; ++r)
      if (begin + m < job.count && first + r < job.rows) job.sums[(begin + m) * job.rows + first + r] = sums[m][r];
}

struct FinishJob {
  Int8Finish finish = Int8Finish::Bnb;
  const std::int32_t* sums = nullptr;      // (count, rows)
  const float* rowScales = nullptr;        // (count), or null: `rowScale` for all
  float rowScale = 1;
  const float *columnScales = nullptr, *bias = nullptr;  // (rows); bias may be null
  std::int64_t count = 0, rows = 0;
  void* to = nullptr;                      // (count, rows), bf16 or (Fbgemm) fp32
};

QUANTSPOT_HD inline void finishOneSum(const FinishJob& job, std::int64_t row, std::int64_t column) {
  const std::int64_t at = row * job.rows + column;
  const auto exact = static_cast<float>(job.sums[at]);
  const float rowScale = job.rowScales ? job.rowScales[row] : job.rowScale, scale = job.columnScales[column];
  const float added = job.bias ? job.bias[column] : 0;
  float value = 0;
  switch (job.finish) {
    case Int8Finish::Bnb: value = exact * (rowScale * scale) * int8Unscale; break;
    case Int8Finish::TorchAo: value = bf16Of(exact * rowScale) * scale; break;
    case Int8Finish::Quanto: value = bf16Of(exact * scale); break;
    case Int8Finish::Fbgemm: static_cast<float*>(job.to)[at] = __builtin_fmaf(exact, rowScale * scale, added); return;
  }
  const float result = job.bias ? value + added : value;
  static_cast<Bf16*>(job.to)[at] = static_cast<Bf16>(bitsOfBf16(result));
}

}  // namespace quantspot::quant
