// Starts fewKernel for as many rows of activations as there are.
#pragma once

#include "quant/kernels/cuda.h"
#include "quant/kernels/few_kernel.cuh"
#include "quant/kernels/with_decoder.h"

namespace quantspot::quant {

template <class Of>
int launchFew(const DeviceWeight& weight, const FewJob& job, CudaStream stream) {
  const auto launch = [&]<int Most>() {
    fewKernel<Of, Most><<<static_cast<unsigned>(fewBlocks<Most>(weight.rows)), fewWarps * lanes, 0, stream>>>(weight, job);
  };
  if (job.count <= 1) launch.template operator()<1>();
  else if (job.count <= 4) launch.template operator()<4>();
  else launch.template operator()<16>();
  return cudaGetLastError();
}

}  // namespace quantspot::quant
