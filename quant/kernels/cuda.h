// Starts the CUDA kernels: plain pointers and sizes, no torch and no CUDA headers. All pointers are of the device that is
// current; every function returns at once, a CUDA error code or 0, and works on `stream`.
#pragma once

#include "quant/kernels/expand_body.cuh"
#include "quant/kernels/few_body.cuh"
#include "quant/kernels/int8_body.cuh"

struct CUstream_st;

namespace quantspot::quant {

using CudaStream = CUstream_st*;

// Rows of the weight, expanded: each value as decode.cuh gives it, rounded to the type.
int cudaExpand(const DeviceWeight& weight, const ExpandJob& job, CudaStream stream);
// x·weightᵀ for at most 16 rows of x, exact weights in fp32, sums in fp32.
int cudaFew(const DeviceWeight& weight, const FewJob& job, CudaStream stream);
// The same for any number of rows on the tensor cores, the weight rounded to bf16; not for ggml's blocks.
int cudaFused(const DeviceWeight& weight, const FewJob& job, CudaStream stream);

// The row scales of activations and, with a threshold, the outlier columns; then their codes. See int8_body.cuh.
int cudaRowScales(const RowsJob& job, CudaStream stream);
int cudaRowCodes(const RowsJob& job, CudaStream stream);
// Exact sums of int8 products for any sizes; quick for few rows.
int cudaInt8Sums(const Int8SumsJob& job, CudaStream stream);
// Sums to results in the order of the reference.
int cudaFinish(const FinishJob& job, CudaStream stream);

int cudaMajor(int* major);  // of the current device's compute capability
const char* cudaMessage(int error);

}  // namespace quantspot::quant
