// The product on the tensor cores, for the packings that are not ggml's.
#include "quant/kernels/cuda.h"
#include "quant/kernels/fused_kernel.cuh"
#include "quant/kernels/with_decoder.h"

namespace quantspot::quant {

__device__ void fused::multiplyAdd(const std::uint32_t (&x)[4], const std::uint32_t (&weight)[2], float (&sums)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(weight[0]), "r"(weight[1]));
}

int cudaFused(const DeviceWeight& weight, const FewJob& job, CudaStream stream) {
  using namespace fused;
  if (job.count == 0) return 0;
  const dim3 grid(static_cast<unsigned>(tilesOf(weight.rows)), static_cast<unsigned>(tilesOf(job.count)));
  const bool plain = withPlainDecoder(weight, [&]<class Of>() { fusedKernel<Of><<<grid, threads, 0, stream>>>(weight, job); });
  return plain ? cudaGetLastError() : cudaErrorNotSupported;
}

}  // namespace quantspot::quant
