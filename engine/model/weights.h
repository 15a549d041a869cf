// All tensors of one component's folder, over however many safetensors files they are spread.
#pragma once

#include "engine/model/safetensors.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace quantspot::model {

// The weight files of a component folder: those that "<stem>.safetensors.index.json" names, else the single file, where
// stem is "diffusion_pytorch_model" (diffusers) or "model" (transformers). Throws ModelError: none, a shard is missing.
std::vector<std::filesystem::path> weightFiles(const std::filesystem::path& folder);

class Weights {
 public:
  explicit Weights(const std::filesystem::path& folder);

  bool has(const std::string& name) const { return where_.contains(name); }
  // An owned copy in the file's dtype. Throws ModelError: absent (the closest name is told), another shape (both are told).
  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape) const;
  at::Tensor read(const std::string& name) const;   // whatever its shape
  void check(const std::string& name, const std::vector<std::int64_t>& shape) const;   // throws as read() would, without reading
  std::vector<std::string> names() const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  const SafeTensors& fileOf(const std::string& name) const;
  std::string closest(const std::string& name) const;

  std::filesystem::path folder_;
  std::vector<SafeTensors> files_;
  std::map<std::string, std::size_t> where_;  // tensor → index into files_
};

}  // namespace quantspot::model
