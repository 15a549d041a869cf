// Functions that CUDA kernels and their tests on the CPU share: each is compiled by both compilers, from one text.
#pragma once

#ifdef __CUDACC__
#define QUANTSPOT_HD __host__ __device__
#define QUANTSPOT_UNROLL _Pragma("unroll")  // where an array must stay in registers
#else
#define QUANTSPOT_HD
#define QUANTSPOT_UNROLL
#endif
