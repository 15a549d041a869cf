#include "quant/cpu_features.h"
#include "quant/kernels/gguf_expand.h"

namespace quantspot::quant {
namespace {

struct PortableGroup {
  template <Make Kind, int Count, bool Offset>
  static void store(const std::int8_t* numbers, float scale, float offset, typename Made<Kind>::To* to) {
    for (int i = 0; i < Count; ++i) to[i] = makeOne<Kind>(scale * static_cast<float>(numbers[i]) - (Offset ? offset : 0.0f));
  }
};

}  // namespace

const GgufKernels& portableGgufKernels() { return kernelsOf<PortableGroup>; }

const GgufKernels& ggufKernels() {
  static const GgufKernels& chosen = *widest(avx512GgufKernels(), avx2GgufKernels(), &portableGgufKernels());
  return chosen;
}

}  // namespace quantspot::quant
