// Few activations times few rows of a weight: what a Linear does when there are no more than a handful of tokens. Plain pointers
// and no torch, as in kernels.h. The sums run in the order of the instruction set, as those of any matrix product.
#pragma once

#include "quant/kernels/kernels.h"

namespace quantspot::quant {

inline constexpr int dotRows = 4;  // rows of the weight at once

// sums[m][r] += Σ x[m · stride + k] · weight[r · pitch + k] over k < count, for m < rows and all dotRows rows r.
using AddDots = void (*)(const float* x, std::int64_t stride, std::int64_t rows, const float* weight, std::int64_t pitch, std::int64_t count,
                         float (*sums)[dotRows]);

// The same for bf16; numbers below 2^-126 count as zero.
using AddBf16Dots = void (*)(const Bf16* x, std::int64_t stride, std::int64_t rows, const Bf16* weight, std::int64_t pitch, std::int64_t count,
                             float (*sums)[dotRows]);

AddDots addDots();           // the fastest for this CPU
AddDots portableAddDots();
AddDots avx2AddDots();       // with FMA; null when not built or not supported
AddDots avx512AddDots();     // null when not built or not supported
AddBf16Dots avx512AddBf16Dots();  // null when not built or not supported

}  // namespace quantspot::quant
