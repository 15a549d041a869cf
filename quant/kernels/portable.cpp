#include "quant/kernels/loops.h"
#include "quant/kernels/pack4.h"

namespace quantspot::quant {

const Kernels& portableKernels() {
  static const Kernels portable{bytesToBf16Of, bytesToFp32Of, nibblesToBf16Of, nibblesToFp32Of, signedBytes<Bf16>, signedBytes<float>, scaleBf16,
                                scaleFp32, bitFields<Bf16>, bitFields<float>, splitOf, packPart};
  return portable;
}

}  // namespace quantspot::quant
