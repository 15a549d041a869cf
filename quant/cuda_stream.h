// Where torch works for a tensor: the only part of the CUDA products that needs CUDA's headers. Tests put another in its place.
#pragma once

#include "quant/kernels/cuda.h"

#include <ATen/core/Tensor.h>

#include <memory>

namespace quantspot::quant {

// The tensor's device is current for as long as this lives.
class OnDevice {
 public:
  explicit OnDevice(const at::Tensor& tensor);
  ~OnDevice();
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  static bool takes(const at::Tensor& tensor);             // whether it is where the kernels run
  CudaStream stream() const { return stream_; }            // torch's current one there

 private:
  struct Guard;
  std::unique_ptr<Guard> guard_;
  CudaStream stream_;
};

}  // namespace quantspot::quant
