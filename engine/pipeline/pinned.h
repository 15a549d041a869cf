// Memory of the host that a device copies from by itself, beside the computing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace quantspot::pipeline {

// Many tensors in few large pieces: the allocator of pinned memory rounds every request up to a power of two. A piece lives as long as a
// tensor in it. One thread.
class PinnedMemory {
 public:
  using Allocate = std::function<at::Tensor(std::int64_t bytes)>;   // a vector of bytes on the CPU
  explicit PinnedMemory(Allocate allocate = {});                    // empty: torch's pinned memory, ordinary memory where there is none left

  // A copy of a tensor of any device: same type and shape, contiguous, aligned to 256 bytes.
  at::Tensor place(const at::Tensor& tensor);

 private:
  Allocate allocate_;
  at::Tensor piece_;                     // the one that is being filled
  std::int64_t used_ = 0, next_;         // bytes of it; how large the next one is
};

}  // namespace quantspot::pipeline
