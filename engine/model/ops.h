// Operations that the models share. bf16 convolutions on a CPU without bf16 instructions are computed in float32 and rounded,
// because torch's own are several times slower there (quant/cpu_features.h decides).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>

namespace quantspot::model {

using Activation = at::Tensor (*)(const at::Tensor&);
// By the names of diffusers and transformers ("quick_gelu", "gelu_new", "silu"…); nullptr when the name is not known.
Activation findActivation(const std::string& name);

struct AttentionOptions {
  at::Tensor bias;              // added to the scores, broadcastable to (B, H, L, L); undefined: none
  bool causal = false;
  std::optional<double> scale;  // absent: 1/√D
  std::optional<at::ScalarType> softmax = {};   // its softmax reads and gives this type; absent: torch's fused kernel
};
// q, k, v (B, H, L, D) → (B, H, L, D).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options = {});

// (B, L, H·D) → (B, H, L, D) and back; views where possible.
at::Tensor splitHeads(const at::Tensor& x, std::int64_t heads);
at::Tensor joinHeads(const at::Tensor& x);

struct ConvOptions {
  std::int64_t stride = 1, padding = -1;   // −1: half of the kernel, which keeps the size at stride 1
};
// (B, C, H, W). bias may be undefined.
at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOptions& options = {});

// Tensors of the meta device stand for those of this CPU, or of a GPU while one of these lives in the thread: what is copied on the way differs.
class MeantForGpu {
 public:
  explicit MeantForGpu(bool gpu = true);
  ~MeantForGpu();
  MeantForGpu(const MeantForGpu&) = delete;
  MeantForGpu& operator=(const MeantForGpu&) = delete;

 private:
  bool before_;
};
bool meansGpu();

}  // namespace quantspot::model
