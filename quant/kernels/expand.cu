// Packed weights to plain numbers.
#include "quant/kernels/cuda.h"
#include "quant/kernels/expand_kernel.cuh"
#include "quant/kernels/with_decoder.h"

namespace quantspot::quant {

int cudaExpand(const DeviceWeight& weight, const ExpandJob& job, CudaStream stream) {
  if (job.count == 0) return 0;
  const auto launch = [&]<class Of>() { expandKernel<Of><<<static_cast<unsigned>(job.count), expandThreads, 0, stream>>>(weight, job); };
  if (!withPlainDecoder(weight, launch)) withBlockDecoder(weight.ggml, launch);
  return cudaGetLastError();
}

int cudaMajor(int* major) {
  int device = 0;
  const cudaError_t error = cudaGetDevice(&device);
  return error ? error : cudaDeviceGetAttribute(major, cudaDevAttrComputeCapabilityMajor, device);
}

const char* cudaMessage(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

}  // namespace quantspot::quant
