#include "quant/kernels/kernels.h"

namespace quantspot::quant {

const Kernels& kernels() {
  static const Kernels& fastest = avx512Kernels() ? *avx512Kernels() : avx2Kernels() ? *avx2Kernels() : portableKernels();
  return fastest;
}

}  // namespace quantspot::quant
