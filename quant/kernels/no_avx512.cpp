#include "quant/kernels/kernels.h"

namespace quantspot::quant {

const Kernels* avx512Kernels() { return nullptr; }

}  // namespace quantspot::quant
