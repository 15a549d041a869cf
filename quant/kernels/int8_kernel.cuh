// Rows of activations and of results take a block each; sums take warps, as in few_kernel.cuh.
#pragma once

#include "quant/kernels/int8_body.cuh"

namespace quantspot::quant {

inline constexpr int rowThreads = 256;

static __global__ void __launch_bounds__(rowThreads) rowScalesKernel(const __grid_constant__ RowsJob job) {
  __shared__ std::uint32_t parts[rowThreads / lanes];
  std::uint32_t largest = __reduce_max_sync(0xffffffff, largestBits(job, blockIdx.x, threadIdx.x, rowThreads));
  if (threadIdx.x % lanes == 0) parts[threadIdx.x / lanes] = largest;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (const std::uint32_t part : parts) largest = largest < part ? part : largest;
  job.scales[blockIdx.x] = rowScaleFrom(job.rule, largest);
}

static __global__ void __launch_bounds__(rowThreads) rowCodesKernel(const __grid_constant__ RowsJob job) {
  const std::int64_t row = blockIdx.x;
  const float factor = RowFactor(job, row).value;
  for (std::int64_t column = threadIdx.x; column < job.columns; column += rowThreads)
    job.codes[row * job.columns + column] = rowCode(job, row, column, factor);
}

static __global__ void __launch_bounds__(int8Warps* lanes) int8SumsKernel(const __grid_constant__ Int8SumsJob job) {
  const int lane = threadIdx.x % lanes;
  const std::int64_t first = int8FirstRow(blockIdx.x, threadIdx.x / lanes);
  if (first >= job.rows) return;
  for (std::int64_t begin = blockIdx.y * mostFewRows; begin < job.count; begin += gridDim.y * mostFewRows) {
    std::int32_t sums[mostFewRows][int8RowsOfWarp] = {};
    addInt8Lane(job, begin, first, lane, sums);
    for (auto& row : sums)
      for (std::int32_t& sum : row) sum = __reduce_add_sync(0xffffffff, sum);
    if (lane == 0) storeInt8Sums(job, begin, first, sums);
  }
}

static __global__ void __launch_bounds__(rowThreads) finishKernel(const __grid_constant__ FinishJob job) {
  for (std::int64_t column = threadIdx.x; column < job.rows; column += rowThreads) finishOneSum(job, blockIdx.x, column);
}

}  // namespace quantspot::quant
