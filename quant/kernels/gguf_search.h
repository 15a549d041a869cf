// How ggml finds the scale of one group of a K-quant: it tries several and keeps the one with the least weighted error. Byte-equal
// files need every sum in ggml's order and in fp32, so no expression here may be rearranged (ggml-quants.c: make_qkx2_quants,
// make_qx_quants, make_q3_quants).
#pragma once

#include <cstdint>

namespace quantspot::quant {

// value ≈ scale · code − offset, codes 0…levels.
struct AffineSearch {
  int levels;
  float first, step;   // the range is divided into levels + first, levels + first + step, …
  int steps;
  bool absolute;       // weighs |error|, else error²
};
struct AffineFit {
  float scale, offset;
};
// At most 32 values. Fills `codes`.
AffineFit fitAffine(const AffineSearch& search, const float* values, const float* weights, int count, std::uint8_t* codes);

// value ≈ scale · (code − half), codes 0…2·half−1; 16 values. Returns the scale; 0 and codes of 0 for a group of zeros.
float fitSigned(int half, const float* values, std::uint8_t* codes);   // tries several ranges
float fitSignedByTurns(int half, const float* values, std::uint8_t* codes);  // changes one code after the other

// Round half to even of a magnitude below 2^22; ggml's own trick, for the same result beyond it too.
inline int nearestWhole(float value) {
  const float shifted = value + 0x1.8p23f;
  return static_cast<int>(__builtin_bit_cast(std::uint32_t, shifted) & 0x7fffff) - 0x400000;
}

inline int clamped(int value, int low, int high) { return value < low ? low : value > high ? high : value; }

}  // namespace quantspot::quant
