// The loop over K of the product on the tensor cores.
#pragma once

#include "quant/kernels/fused_body.cuh"

namespace quantspot::quant::fused {

// sums += x · weightᵀ of a warp: one instruction, defined where this is included.
__device__ void multiplyAdd(const std::uint32_t (&x)[4], const std::uint32_t (&weight)[2], float (&sums)[4]);

__device__ inline void multiplyTile(const Tiles& tiles, int buffer, int warp, int lane, Sums& sums) {
  for (int k = 0; k < tileDepth; k += 16) {
    Fragments fragments;
    loadFragments(tiles, buffer, warp, lane, k, fragments);
    for (int m = 0; m < mSteps; ++m)
      for (int n = 0; n < nSteps; ++n) multiplyAdd(fragments.x[m], fragments.weight[n], sums[m][n]);
  }
}

// Two buffers: while one is multiplied, the next step is fetched and then put into the other.
template <class Of>
__global__ void __launch_bounds__(threads) fusedKernel(const __grid_constant__ DeviceWeight weight, const __grid_constant__ FewJob job) {
  __shared__ Tiles tiles;
  __shared__ float table[16];
  const int thread = threadIdx.x, warp = thread / lanes, lane = thread % lanes;
  if (thread < 16) table[thread] = weight.table[thread];
  __syncthreads();
  const auto decoder = Of::on(weight, table);
  const std::int64_t firstX = std::int64_t{blockIdx.y} * tileRows, firstWeight = std::int64_t{blockIdx.x} * tileRows;
  Sums sums = {};
  Staged staged;
  fetch(decoder, job, firstX, firstWeight, 0, thread, staged);
  put(staged, thread, 0, tiles);
  __syncthreads();
  int buffer = 0;
  for (std::int64_t k = 0; k < weight.columns; k += tileDepth, buffer ^= 1) {
    const bool more = k + tileDepth < weight.columns;
    if (more) fetch(decoder, job, firstX, firstWeight, k + tileDepth, thread, staged);
    multiplyTile(tiles, buffer, warp, lane, sums);
    if (more) put(staged, thread, buffer ^ 1, tiles);
    __syncthreads();
  }
  store(job, weight.rows, firstX, firstWeight, warp, lane, sums);
}

}  // namespace quantspot::quant::fused
