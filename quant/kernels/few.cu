// Few activations times a packed weight: each warp takes some rows of the weight.
#include "quant/kernels/few_launch.cuh"

namespace quantspot::quant {

int cudaFewBlocks(const DeviceWeight& weight, const FewJob& job, CudaStream stream);  // few_blocks.cu

int cudaFew(const DeviceWeight& weight, const FewJob& job, CudaStream stream) {
  int error = 0;
  const bool plain = withPlainDecoder(weight, [&]<class Of>() { error = launchFew<Of>(weight, job, stream); });
  return plain ? error : cudaFewBlocks(weight, job, stream);
}

}  // namespace quantspot::quant
