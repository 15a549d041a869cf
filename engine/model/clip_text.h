// transformers' CLIPTextModel (5.23), as far as FluxPipeline uses it: token ids to the pooled vector.
#pragma once

#include "engine/model/ops.h"
#include "engine/model/parameters.h"

namespace quantspot::model {

class ClipText {
 public:
  // `folder` holds config.json and the weights. Names in the ledger start with `prefix`.
  ClipText(const std::filesystem::path& folder, const LoadOptions& options, const std::string& prefix);

  static std::size_t linears(const std::filesystem::path& folder);  // how many Linear layers its config.json asks for
  at::Tensor pooled(const at::Tensor& ids) const;  // (B, L) int64 → (B, D), the final norm at the end-of-text token
  std::int64_t positions() const { return positions_.size(0); }
  std::int64_t vocabulary() const { return tokens_.size(0); }
  const std::vector<LayerInfo>& ledger() const { return ledger_; }

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    Linear q, k, v, out, up, down;
  };
  at::Tensor forward(const Layer& layer, const at::Tensor& x) const;

  std::int64_t heads_ = 0, endOfText_ = 0;
  Activation act_ = nullptr;
  at::Tensor tokens_, positions_;
  std::vector<Layer> layers_;
  LayerNorm norm_;
  std::vector<LayerInfo> ledger_;
};

}  // namespace quantspot::model
