// The highest memory of a computation that is not carried out: on the meta device an operation knows its shapes and nothing else, so that a
// denoiser of any size runs in milliseconds, and what its tensors would hold at once is counted exactly.
//
// Counted beside tensors: copies that the CPU's convolutions and products make inside (`addScratch`). Not counted: a library's own code and tables.
#pragma once

#include "quant/conv2d.h"
#include "quant/quantizer.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace quantspot::pipeline {

struct DryPeak {                         // bytes
  std::int64_t bytes = 0;                // the most that lived at once
  std::int64_t held = 0;                 // what was held of weights at that moment, which is part of it
  std::int64_t small = 0;                // the most that lived at once in blocks below kLooseBlock, which the heap keeps in parts when they are freed
  std::int64_t smallTight = 0;           // the same below kTightBlock: in a TightHeap
  std::int64_t tiles = 0;                // the largest tile of a packed weight that needs several
};
// Runs `work` over tensors of the meta device, in this thread: what those made by it held.
DryPeak peakOfDryRun(const std::function<void()>& work);

// Inside `work`: so many bytes more, for an instant.
void addScratch(std::int64_t bytes);

// A weight that is there: counted while this lives, where it was made inside `work`.
class HeldWeight {
 public:
  explicit HeldWeight(std::int64_t bytes);
  ~HeldWeight();
  HeldWeight(const HeldWeight&) = delete;
  HeldWeight& operator=(const HeldWeight&) = delete;

 private:
  struct Counted;
  std::unique_ptr<Counted> counted_;     // null: nobody counts
};
// A tensor of the meta device that nobody counts.
at::Tensor uncounted(at::IntArrayRef shape, at::ScalarType type);

// What a layer of this precision makes of meta inputs x (…, in) → (…, out): the same copies as its product on this CPU (model::meansGpu(): on a GPU).
at::Tensor dryProduct(const quant::Quantizer& quantizer, const at::Tensor& x, std::int64_t in, std::int64_t out);
// Of a packed convolution: weight (out, in, height, width).
at::Tensor dryConvolution(const quant::Quantizer& quantizer, const at::Tensor& x, at::IntArrayRef shape, const quant::Conv2dOptions& how);

}  // namespace quantspot::pipeline
