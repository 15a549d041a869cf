// All tensors of one component's folder, over however many safetensors files they are spread, or in one file with other names.
#pragma once

#include "engine/model/safetensors.h"
#include "engine/model/tensor_source.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace quantspot::model {

// The weight files of a component folder: the one that its views are of (single/views.h), else those that "<stem>.safetensors.index.json" names, else the single file, where
// stem is "diffusion_pytorch_model" (diffusers) or "model" (transformers), else the only GGUF file. Throws ModelError: none, several
// GGUF files, a shard is missing.
std::vector<std::filesystem::path> weightFiles(const std::filesystem::path& folder);

class Weights {
 public:
  explicit Weights(const std::filesystem::path& folder);

  bool has(const std::string& name) const { return source_ ? source_->has(name) : where_.contains(name); }
  // An owned copy in the file's dtype. Throws ModelError: absent (the closest name is told), another shape (both are told).
  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape) const;
  at::Tensor read(const std::string& name) const;   // whatever its shape
  void check(const std::string& name, const std::vector<std::int64_t>& shape) const;   // throws as read() would, without reading
  void willNeed(const std::string& name) const;     // of what is there: its bytes are wanted soon
  std::vector<std::string> names() const;
  std::vector<std::int64_t> shape(const std::string& name) const;   // throws ModelError when it is absent
  // The id of the blocks that packed() gives; empty where it gives nothing. Throws as read() does.
  std::string_view blocksOf(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // The weight in ggml's blocks, where the file has it so; throws as read() does.
  std::optional<quant::QuantizedTensor> packed(const std::string& name, const std::vector<std::int64_t>& shape) const;
  // The block type that most of the file has, as a precision; empty: none.
  std::string_view mainPrecision() const { return source_ ? source_->mainPrecision() : std::string_view(); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  const SafeTensors& fileOf(const std::string& name) const;
  std::string closest(const std::string& name) const;
  [[noreturn]] void failMissing(const std::string& name) const;
  [[noreturn]] void failShape(const std::filesystem::path& path, const std::string& name, const std::vector<std::int64_t>& has,
                              const std::vector<std::int64_t>& wanted) const;
  void checkSource(const std::string& name, const std::vector<std::int64_t>& shape) const;

  std::filesystem::path folder_;
  std::vector<SafeTensors> files_;
  std::unique_ptr<TensorSource> source_;      // in place of the files
  std::map<std::string, std::size_t> where_;  // tensor → index into files_
};

}  // namespace quantspot::model
