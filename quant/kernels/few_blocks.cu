// The same for ggml's blocks; a file of its own, so that the two compile side by side.
#include "quant/kernels/few_launch.cuh"

namespace quantspot::quant {

int cudaFewBlocks(const DeviceWeight& weight, const FewJob& job, CudaStream stream) {
  int error = 0;
  withBlockDecoder(weight.ggml, [&]<class Of>() { error = launchFew<Of>(weight, job, stream); });
  return error;
}

}  // namespace quantspot::quant
