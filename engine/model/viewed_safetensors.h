// A safetensors file whose tensors have other names, or are several in one.
#pragma once

#include "engine/model/safetensors.h"
#include "engine/model/tensor_source.h"

namespace quantspot::model {

class ViewedSafeTensors final : public TensorSource {
 public:
  ViewedSafeTensors(const std::filesystem::path& path, Views views);   // throws what SafeTensors and checkViews() throw

  const std::filesystem::path& path() const override { return file_.path(); }
  std::vector<std::int64_t> shape(const std::string& name) const override;
  at::Tensor read(const std::string& name) const override;
  void willNeed(const std::string& name) const override { file_.willNeed(file_.entries().at(views_.at(name).tensor)); }
  void checkType(const std::string& name) const override;

 private:
  SafeTensors file_;
};

}  // namespace quantspot::model
