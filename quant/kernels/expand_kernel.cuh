// A block of threads for each row.
#pragma once

#include "quant/kernels/expand_body.cuh"

namespace quantspot::quant {

inline constexpr int expandThreads = 128;

template <class Of>
__global__ void __launch_bounds__(expandThreads) expandKernel(const __grid_constant__ DeviceWeight weight, const __grid_constant__ ExpandJob job) {
  __shared__ float table[16];
  if (threadIdx.x < 16) table[threadIdx.x] = weight.table[threadIdx.x];
  __syncthreads();
  expandRow(Of::on(weight, table), job, blockIdx.x, threadIdx.x, expandThreads);
}

}  // namespace quantspot::quant
