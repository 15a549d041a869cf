#include "quant/pieces.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::quant {
namespace {

constexpr std::int64_t kElements = 1 << 20;   // 4 MiB in fp32: little beside the layers that matter, and still work for all threads

// Room for all pieces, of which `first` is one of `rows` rows.
at::Tensor roomFor(const at::Tensor& first, std::int64_t rows, std::int64_t all) {
  std::vector<std::int64_t> shape = first.sizes().vec();
  shape[0] = shape[0] * all / rows;
  return at::empty(shape, first.options());
}

}  // namespace

QuantizedTensor packByRows(const at::Tensor& weight, const std::function<QuantizedTensor(const at::Tensor& rows)>& pack) {
  const std::int64_t rows = weight.dim() == 2 ? weight.size(0) : 0;
  const std::int64_t piece = weight.dim() == 2 && weight.size(1) > 0 ? std::max<std::int64_t>(1, kElements / weight.size(1)) : rows;
  if (rows <= piece) return pack(weight);
  QuantizedTensor whole;
  for (std::int64_t begin = 0; begin < rows; begin += piece) {
    const std::int64_t count = std::min(piece, rows - begin);
    QuantizedTensor packed;
    try {
      packed = pack(weight.narrow(0, begin, count));
    } catch (const std::invalid_argument&) {
      return pack(weight);   // throws, with the row's number in the whole
    }
    if (begin == 0) {
      whole = packed;
      whole.shape = weight.sizes().vec();
      for (auto& [name, part] : whole.parts) part = roomFor(part, count, rows);
    }
    for (std::size_t i = 0; i < whole.parts.size(); ++i) {
      const std::int64_t perRow = whole.parts[i].second.size(0) / rows;
      whole.parts[i].second.narrow(0, begin * perRow, count * perRow).copy_(packed.parts[i].second);
    }
  }
  return whole;
}

}  // namespace quantspot::quant
