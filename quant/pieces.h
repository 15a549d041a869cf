// Packs a large weight some rows at a time, so that what is made on the way stays small.
#pragma once

#include "quant/quantizer.h"

#include <functional>

namespace quantspot::quant {

// pack(rows of the weight) for some rows after the other; the parts' rows follow one another as those of the weight do. For
// formats whose rows do not depend on one another. Throws what `pack` throws for the whole weight.
QuantizedTensor packByRows(const at::Tensor& weight, const std::function<QuantizedTensor(const at::Tensor& rows)>& pack);

}  // namespace quantspot::quant
