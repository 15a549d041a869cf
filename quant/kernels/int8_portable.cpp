#include "quant/cpu_features.h"
#include "quant/kernels/int8_rows.h"

namespace quantspot::quant {
namespace {

void product(const Int8Product& p, std::int64_t first, std::int64_t last) {
  for (std::int64_t panel = first; panel < last; ++panel)
    for (std::int64_t row = 0; row < p.rows; ++row) {
      std::int32_t sums[panelRows] = {};
      const std::uint8_t* weight = p.panels + panel * p.depth * panelRows * panelDepth;
      const std::int8_t* codes = p.codes + row * p.depth * panelDepth;
      for (std::int64_t k = 0; k < p.depth; ++k, weight += panelRows * panelDepth, codes += panelDepth)
        for (int lane = 0; lane < panelRows; ++lane)
          for (int i = 0; i < panelDepth; ++i) sums[lane] += weight[lane * panelDepth + i] * codes[i];
      const std::int64_t column = panel * panelRows;
      for (std::int64_t lane = 0; lane < panelRows && column + lane < p.columns; ++lane) finishOne(p, sums[lane], row, column + lane);
    }
}

}  // namespace

const Int8Kernels& portableInt8Kernels() {
  static const Int8Kernels portable{rowScaleOf, quantizeRowOf, largestOf, quantizeByOf, quantizeOverOf, quantizeFromOf, product};
  return portable;
}

const Int8Kernels& int8Kernels() {
  static const bool vnni = kernelLevel() >= KernelLevel::AvxVnni && avxVnniInt8Kernels();
  static const Int8Kernels& chosen = *widest(avx512Int8Kernels(), vnni ? avxVnniInt8Kernels() : avx2Int8Kernels(), &portableInt8Kernels());
  return chosen;
}

}  // namespace quantspot::quant
