#include "quant/kernels/dots.h"
#include "quant/kernels/gguf.h"
#include "quant/kernels/int8.h"

namespace quantspot::quant {

const Kernels* avx2Kernels() { return nullptr; }
const Kernels* avx512Kernels() { return nullptr; }
AddDots avx2AddDots() { return nullptr; }
AddDots avx512AddDots() { return nullptr; }
AddBf16Dots avx512AddBf16Dots() { return nullptr; }
GgufToBf16 avx512Bf16GgufToBf16() { return nullptr; }
const GgufKernels* avx2GgufKernels() { return nullptr; }
const GgufKernels* avx512GgufKernels() { return nullptr; }
const Int8Kernels* avx2Int8Kernels() { return nullptr; }
const Int8Kernels* avxVnniInt8Kernels() { return nullptr; }
const Int8Kernels* avx512Int8Kernels() { return nullptr; }

}  // namespace quantspot::quant
