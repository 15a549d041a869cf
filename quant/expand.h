// Runs a kernel over a scratch tile from all threads.
#pragma once

#include "quant/kernels/kernels.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <array>

namespace quantspot::quant {

// Calls body(first, count, pointer) for ranges that together cover `to`, a contiguous CPU tensor of bf16 or fp32; pointer
// is a Bf16* or a float* to element `first`. The body must not use torch: it runs on pool threads.
template <class Body>
void expandInto(const at::Tensor& to, Body&& body) {
  constexpr std::int64_t grain = 1 << 15;
  void* data = to.data_ptr();
  const bool isBf16 = to.scalar_type() == at::kBFloat16;
  at::parallel_for(0, to.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    if (isBf16)
      body(begin, end - begin, static_cast<Bf16*>(data) + begin);
    else
      body(begin, end - begin, static_cast<float*>(data) + begin);
  });
}

// Cuts the elements first … first+count−1 where runs of `length` end: body(run, place within it, count, pointer).
template <class To, class Body>
void forRuns(std::int64_t first, std::int64_t count, std::int64_t length, To* to, Body&& body) {
  std::int64_t run = first / length, within = first % length;
  while (count > 0) {
    const std::int64_t here = std::min(length - within, count);
    body(run, within, here, to);
    to += here;
    count -= here;
    ++run;
    within = 0;
  }
}

// The same with something small that is made of each run, body(made, run, place within it, count, pointer): of many runs first, because a
// wide load of what was only just written waits until it has left the store buffer.
template <class To, class Make, class Body>
void forRuns(std::int64_t first, std::int64_t count, std::int64_t length, To* to, Make&& make, Body&& body) {
  constexpr std::int64_t ahead = 16;
  std::array<decltype(make(first)), ahead> made;
  while (count > 0) {
    const std::int64_t run = first / length, here = std::min(count, (run + ahead) * length - first);
    for (std::int64_t i = 0; i <= (first + here - 1) / length - run; ++i) made[i] = make(run + i);
    forRuns(first, here, length, to, [&](std::int64_t at, std::int64_t within, std::int64_t some, To* out) { body(made[at - run], at, within, some, out); });
    first += here;
    count -= here;
    to += here;
  }
}

}  // namespace quantspot::quant
