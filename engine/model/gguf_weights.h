// Tensors of a GGUF file under the names that diffusers gives them, whichever naming the file has.
#pragma once

#include "engine/model/gguf.h"
#include "engine/model/tensor_source.h"

namespace quantspot::model {

class GgufWeights final : public TensorSource {
 public:
  // The denoiser of the file: a FLUX transformer or a UNet. Throws ModelError: what GgufFile throws, and a file that holds neither.
  explicit GgufWeights(const std::filesystem::path& path);
  GgufWeights(const std::filesystem::path& path, Views views);   // throws also what checkViews() throws

  const std::filesystem::path& path() const override { return file_.path(); }
  std::vector<std::int64_t> shape(const std::string& name) const override;
  at::Tensor read(const std::string& name) const override;       // plain types as they are, blocks as ggml's fp32 values
  void willNeed(const std::string& name) const override { file_.willNeed(file_.tensors().at(views_.at(name).tensor)); }
  std::string_view blocksOf(const std::string& name) const override;
  std::optional<quant::QuantizedTensor> packed(const std::string& name) const override;
  std::string_view mainPrecision() const override;
  Shapes shapes() const;                                         // by diffusers' names

 private:
  Shapes tensorShapes() const;
  void check() const;
  at::Tensor rowsOf(const TensorView& view) const;               // bytes
  at::Tensor reshaped(const TensorView& view) const;             // the values of a tensor that is held in another shape

  GgufFile file_;
};

}  // namespace quantspot::model
