// Packed weights to plain numbers: a block of threads for each row.
#include "quant/kernels/cuda.h"
#include "quant/kernels/with_decoder.h"

namespace quantspot::quant {
namespace {

constexpr int expandThreads = 128;

template <class Of>
__global__ void __launch_bounds__(expandThreads) expandKernel(const __grid_constant__ DeviceWeight weight, const __grid_constant__ ExpandJob job) {
  __shared__ float table[16];
  if (threadIdx.x < 16) table[threadIdx.x] = weight.table[threadIdx.x];
  __syncthreads();
  expandRow(Of::on(weight, table), job, blockIdx.x, threadIdx.x, expandThreads);
}

}  // namespace

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
