#include "quant/double_quant.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace quantspot::quant {
namespace {

constexpr std::int64_t blockOfScales = 256;
constexpr int lookupSize = 65536;

at::Tensor makeDynamicMap() {
  std::vector<at::Tensor> pieces = {at::zeros({1}), at::ones({1})};
  for (int exponent = 0; exponent < 7; ++exponent) {
    const at::Tensor bounds = at::linspace(0.1, 1, (1 << exponent) + 1, at::kFloat);
    const std::int64_t count = bounds.size(0) - 1;
    const at::Tensor means = (bounds.narrow(0, 0, count) + bounds.narrow(0, 1, count)) / 2;
    const double scale = std::pow(10.0, exponent - 6);
    pieces.push_back(means * scale);
    pieces.push_back(means * -scale);
  }
  return std::get<0>(at::cat(pieces).sort());
}

// The CPU build does not search the nearest value but looks it up on a grid, which differs for 1 code in 1000.
std::array<std::uint8_t, lookupSize> makeLookup() {
  std::array<std::uint8_t, lookupSize> lookup;
  const float* values = dynamicMap().const_data_ptr<float>();
  int best = 0;
  for (int i = 0; i < lookupSize; ++i) {
    const double at = static_cast<float>(i) / 32767.5f - 1.0f;
    while (best < 255 && std::abs(at - values[best + 1]) < std::abs(at - values[best])) ++best;
    lookup[i] = static_cast<std::uint8_t>(best);
  }
  return lookup;
}

}  // namespace

const at::Tensor& dynamicMap() {
  static const at::Tensor map = makeDynamicMap();
  return map;
}

DoubleScales quantizeScales(const at::Tensor& scales) {
  static const std::array<std::uint8_t, lookupSize> lookup = makeLookup();
  // Torch's own fp32 mean, as the reference calls it; an exact mean is often one bit away.
  const at::Tensor offset = scales.mean().view({1}), centred = scales - offset;
  const std::int64_t count = scales.numel(), blocks = (count + blockOfScales - 1) / blockOfScales;
  DoubleScales packed{at::empty({count}, at::kByte), at::empty({blocks}, at::kFloat), offset};
  const float* from = centred.const_data_ptr<float>();
  auto* codes = packed.codes.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t begin = 0; begin < count; begin += blockOfScales) {
    const std::int64_t end = std::min(count, begin + blockOfScales);
    float absmax = 0;
    for (std::int64_t i = begin; i < end; ++i) absmax = std::max(absmax, std::abs(from[i]));
    packed.absmax.mutable_data_ptr<float>()[begin / blockOfScales] = absmax;
    const float factor = 1 / absmax;
    for (std::int64_t i = begin; i < end; ++i) {
      const float place = (from[i] * factor + 1.0f) * 32767.5f + 0.5f;
      codes[i] = place >= 0 && place < lookupSize ? lookup[static_cast<int>(place)] : 0;  // equal scales: 0 · ∞, and code 0
    }
  }
  return packed;
}

at::Tensor recoverScales(const DoubleScales& packed, std::int64_t first, std::int64_t count) {
  const at::Tensor blocks = at::arange(first, first + count, packed.codes.options().dtype(at::kLong)).floor_divide(blockOfScales);
  const at::Tensor values = dynamicMap().to(packed.codes.device()).index_select(0, packed.codes.narrow(0, first, count).to(at::kInt));
  return values * packed.absmax.index_select(0, blocks) + packed.offset;
}

}  // namespace quantspot::quant
