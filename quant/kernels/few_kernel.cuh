// A warp for some rows of the weight; its lanes share the columns.
#pragma once

#include "quant/kernels/few_body.cuh"

namespace quantspot::quant {

template <class Of, int Most>
__global__ void __launch_bounds__(fewWarps* lanes) fewKernel(const __grid_constant__ DeviceWeight weight, const __grid_constant__ FewJob job) {
  constexpr int rows = rowsOfWarp<Most>;
  __shared__ float table[16];
  if (threadIdx.x < 16) table[threadIdx.x] = weight.table[threadIdx.x];
  __syncthreads();
  const int lane = threadIdx.x % lanes;
  const std::int64_t first = firstRowOf<Most>(blockIdx.x, threadIdx.x / lanes);
  if (first >= weight.rows) return;
  float sums[Most][rows] = {};
  addLane<Most>(Of::on(weight, table), job, first, lane, sums);
  for (int m = 0; m < Most; ++m)
    for (int r = 0; r < rows; ++r)
      for (int step = lanes / 2; step > 0; step /= 2) sums[m][r] += __shfl_xor_sync(0xffffffff, sums[m][r], step);
  if (lane == 0) storeSums<Most>(job, first, weight.rows, sums);
}

}  // namespace quantspot::quant
