#include "quant/cpu_features.h"
#include "quant/kernels/kernels.h"

namespace quantspot::quant {

const Kernels& kernels() {
  static const Kernels& chosen = *widest(avx512Kernels(), avx2Kernels(), &portableKernels());
  return chosen;
}

}  // namespace quantspot::quant
