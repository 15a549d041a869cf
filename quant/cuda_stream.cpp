#include "quant/cuda_stream.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

namespace quantspot::quant {

struct OnDevice::Guard {
  c10::cuda::CUDAGuard guard;
};

OnDevice::OnDevice(const at::Tensor& tensor)
    : guard_(new Guard{c10::cuda::CUDAGuard(tensor.device())}), stream_(c10::cuda::getCurrentCUDAStream().stream()) {}

OnDevice::~OnDevice() = default;

bool OnDevice::takes(const at::Tensor& tensor) { return tensor.is_cuda(); }

}  // namespace quantspot::quant
