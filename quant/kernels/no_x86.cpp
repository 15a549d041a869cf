#include "quant/kernels/gguf.h"
#include "quant/kernels/int8.h"

namespace quantspot::quant {

const Kernels* avx2Kernels() { return nullptr; }
const Kernels* avx512Kernels() { return nullptr; }
const GgufKernels* avx2GgufKernels() { return nullptr; }
const GgufKernels* avx512GgufKernels() { return nullptr; }
const Int8Kernels* avx2Int8Kernels() { return nullptr; }
const Int8Kernels* avx512Int8Kernels() { return nullptr; }

}  // namespace quantspot::quant
