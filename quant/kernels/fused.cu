#include "quant/kernels/cuda.h"
#include "quant/kernels/fused_body.cuh"
#include "quant/kernels/with_decoder.h"

namespace quantspot::quant {
namespace {

using namespace fused;

__device__ void multiplyAdd(const std::uint32_t (&x)[4], const std::uint32_t (&weight)[2], float (&sums)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(weight[0]), "r"(weight[1]));
}

__device__ void multiplyTile(const Tiles& tiles, int buffer, int warp, int lane, Sums& sums) {
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

}  // namespace

int cudaFused(const DeviceWeight& weight, const FewJob& job, CudaStream stream) {
  if (job.count == 0) return 0;
  const dim3 grid(static_cast<unsigned>(tilesOf(weight.rows)), static_cast<unsigned>(tilesOf(job.count)));
  const bool plain = withPlainDecoder(weight, [&]<class Of>() { fusedKernel<Of><<<grid, threads, 0, stream>>>(weight, job); });
  return plain ? cudaGetLastError() : cudaErrorNotSupported;
}

}  // namespace quantspot::quant
