// One thread's part in expanding rows of a packed weight; the kernel around it, and the test that runs it on the CPU, say
// which part that is.
#pragma once

#include "quant/kernels/decode.cuh"
#include "quant/kernels/half.h"

namespace quantspot::quant {

enum class DeviceType : std::uint8_t { Fp32, Fp16, Bf16 };

struct ExpandJob {
  std::int64_t begin = 0, count = 0;  // rows of the weight
  DeviceType type = DeviceType::Bf16;
  void* to = nullptr;                 // (count, columns)
};

template <class To>
struct alignas(sizeof(To) * runLength) RunOf {
  To value[runLength];
};

template <class To, class Convert>
QUANTSPOT_HD inline void storeRun(const float* values, std::int64_t count, bool whole, To* to, Convert&& convert) {
  if (whole) {  // one store of 16 or 32 bytes
    RunOf<To> run;
    for (int i = 0; i < runLength; ++i) run.value[i] = convert(values[i]);
    *reinterpret_cast<RunOf<To>*>(to) = run;
    return;
  }
  for (int i = 0; i < count && i < runLength; ++i) to[i] = convert(values[i]);
}

// Row `row` of the job, of whose runs this thread takes every `threads`-th from `thread` on.
template <class Decoder>
QUANTSPOT_HD inline void expandRow(const Decoder& decoder, const ExpandJob& job, std::int64_t row, int thread, int threads) {
  const std::int64_t columns = decoder.w.columns;
  const bool whole = columns % runLength == 0 && isAligned(job.to, 32);
  for (std::int64_t column = std::int64_t{thread} * runLength; column < columns; column += std::int64_t{threads} * runLength) {
    float values[runLength];
    const std::int64_t left = columns - column, at = row * columns + column;
    decodeRun(decoder, job.begin + row, column, left, values);
    if (job.type == DeviceType::Fp32)
      storeRun(values, left, whole, static_cast<float*>(job.to) + at, [](float value) { return value; });
    else if (job.type == DeviceType::Fp16)
      storeRun(values, left, whole, static_cast<Half*>(job.to) + at, [](float value) { return roundToHalf(value); });
    else
      storeRun(values, left, whole, static_cast<Bf16*>(job.to) + at, [](float value) { return static_cast<Bf16>(bitsOfBf16(value)); });
  }
}

}  // namespace quantspot::quant
