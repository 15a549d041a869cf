#include "quant/kernels/kernels.h"

namespace quantspot::quant {

const Kernels& kernels() {
  static const Kernels& fastest = avx512Kernels() ? *avx512Kernels() : portableKernels();
  return fastest;
}

}  // namespace quantspot::quant
