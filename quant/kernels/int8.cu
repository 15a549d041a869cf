// Activations to 8 bits, exact sums, results.
#include "quant/kernels/cuda.h"
#include "quant/kernels/int8_kernel.cuh"

namespace quantspot::quant {

int cudaRowScales(const RowsJob& job, CudaStream stream) {
  if (job.rows == 0) return 0;
  rowScalesKernel<<<static_cast<unsigned>(job.rows), rowThreads, 0, stream>>>(job);
  return cudaGetLastError();
}

int cudaRowCodes(const RowsJob& job, CudaStream stream) {
  if (job.rows == 0) return 0;
  rowCodesKernel<<<static_cast<unsigned>(job.rows), rowThreads, 0, stream>>>(job);
  return cudaGetLastError();
}

int cudaInt8Sums(const Int8SumsJob& job, CudaStream stream) {
  if (job.count == 0) return 0;
  const dim3 grid(static_cast<unsigned>(int8BlocksAcross(job.rows)), static_cast<unsigned>(int8BlocksDown(job.count)));
  int8SumsKernel<<<grid, int8Warps * lanes, 0, stream>>>(job);
  return cudaGetLastError();
}

int cudaFinish(const FinishJob& job, CudaStream stream) {
  if (job.count == 0) return 0;
  finishKernel<<<static_cast<unsigned>(job.count), rowThreads, 0, stream>>>(job);
  return cudaGetLastError();
}

}  // namespace quantspot::quant
