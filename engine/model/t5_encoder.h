// transformers' T5EncoderModel (5.23).
#pragma once

#include "engine/model/ops.h"
#include "engine/model/parameters.h"

namespace quantspot::model {

class T5Encoder {
 public:
  // `folder` holds config.json and the weights. Names in the ledger start with `prefix`.
  T5Encoder(const std::filesystem::path& folder, const LoadOptions& options, const std::string& prefix);

  static std::size_t linears(const std::filesystem::path& folder);  // how many Linear layers its config.json asks for
  // (B, L) int64 → (B, L, D). mask (B, L), 1 where a token is; undefined: padding takes part in the attention (FLUX, Stable Diffusion 3).
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& mask = {}) const;
  std::int64_t vocabulary() const { return tokens_.size(0); }
  const std::vector<LayerInfo>& ledger() const { return ledger_; }

 private:
  struct Norm {
    at::Tensor weight;
    double eps;
    at::Tensor operator()(const at::Tensor& x) const;
  };
  struct Layer {
    Norm attentionNorm, mlpNorm;
    Linear q, k, v, o, gate, up, down;  // gate only where the MLP is gated
  };
  Layer load(Parameters& p, const std::string& name) const;
  at::Tensor positionBias(std::int64_t length) const;  // (1, H, L, L)

  std::int64_t width_ = 0, inner_ = 0, hidden_ = 0, heads_ = 0, maxDistance_ = 0;
  double eps_ = 1e-6;
  bool gated_ = false;
  Activation act_ = nullptr;
  at::Tensor tokens_, relativeBias_;
  std::vector<Layer> layers_;
  Norm norm_;
  std::vector<LayerInfo> ledger_;
};

}  // namespace quantspot::model
