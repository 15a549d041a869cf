// Compiled with AVX2. No standard headers with code, as in avx512.cpp.
#include "quant/kernels/loops.h"
#include "quant/kernels/pack4.h"

namespace quantspot::quant {

const Kernels* avx2Kernels() {
  static const Kernels avx2{bytesToBf16Of, bytesToFp32Of, nibblesToBf16Of, nibblesToFp32Of, signedBytes<Bf16>, signedBytes<float>, scaleBf16,
                            scaleFp32, bitFields<Bf16>, bitFields<float>, splitOf, packPart};
  return __builtin_cpu_supports("avx2") ? &avx2 : nullptr;
}

}  // namespace quantspot::quant
