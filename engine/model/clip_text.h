// transformers' CLIPTextModel and CLIPTextModelWithProjection (5.23), OpenAI's and OpenCLIP's.
#pragma once

#include "engine/model/ops.h"
#include "engine/model/parameters.h"

#include <optional>

namespace quantspot::model {

struct ClipOptions {
  bool projected = false;      // the pooled vector goes through "text_projection", unless the configuration says that it is the identity
};

class ClipText {
 public:
  // `folder` holds config.json and the weights. Names in the ledger start with `prefix`.
  ClipText(const std::filesystem::path& folder, const LoadOptions& options, const std::string& prefix, const ClipOptions& clip = {});

  static std::size_t linears(const std::filesystem::path& folder, const ClipOptions& clip = {});  // how many Linear layers its config.json asks for

  struct Output {
    at::Tensor sequence;       // (B, L, D): behind the last layer but `skipped`
    at::Tensor pooled;         // (B, P): the final norm at the end-of-text token, projected where there is a projection
  };
  // ids (B, L) int64. `normed`: the final norm over the sequence too. Throws ModelError when as many layers as there are would be skipped.
  Output forward(const at::Tensor& ids, std::int64_t skipped, bool normed) const;
  at::Tensor pooled(const at::Tensor& ids) const { return forward(ids, 0, true).pooled; }
  std::int64_t positions() const { return positions_.size(0); }
  std::int64_t vocabulary() const { return tokens_.size(0); }
  const std::vector<LayerInfo>& ledger() const { return ledger_; }

 private:
  struct Layer {
    LayerNorm norm1, norm2;
    Linear q, k, v, out, up, down;
  };
  void load(Parameters& p, const std::string& name, std::int64_t width, std::int64_t hidden, double eps);
  at::Tensor forward(const Layer& layer, const at::Tensor& x) const;

  std::int64_t heads_ = 0, endOfText_ = 0;
  Activation act_ = nullptr;
  at::Tensor tokens_, positions_;
  std::vector<Layer> layers_;
  LayerNorm norm_;
  std::optional<Linear> projection_;
  std::vector<LayerInfo> ledger_;
};

}  // namespace quantspot::model
