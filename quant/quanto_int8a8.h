// optimum-quanto with activations in 8 bits (nn/qmodule.py, library/qbytes_mm.py, calibrate.py; version 0.2.7).
#pragma once

#include "quant/calibration.h"

namespace quantspot::quant {

// `weight` as QuantoBytes packs it. One scale for all of the input: codes rint(bf16(x / scale)); an exact sum, times
// bf16(input scale · row scale), rounded to bf16 before the bias. The result is a CalibratedLinear.
std::unique_ptr<Linear> quantoInt8a8(const Quantizer& owner, QuantizedTensor weight, std::optional<at::Tensor> bias);

}  // namespace quantspot::quant
