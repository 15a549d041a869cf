// Weights of the metrics' networks from files of several makers, under one set of names.
#pragma once

#include "metrics/network.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace quantspot::service {

// What safetensors, .pth and .pt files hold together. read() finds torchvision's, torch-fidelity's and lpips' names in the files of any of them
// (lpips also as a whole network) and of inception-2015-12-05.pt.
class MetricWeights {
 public:
  // Throws ModelError (no file, two files with one tensor) and metrics::FileError.
  explicit MetricWeights(const std::vector<std::filesystem::path>& files);

  bool has(const std::string& name) const { return find(name) != nullptr; }
  at::Tensor read(const std::string& name, const std::vector<std::int64_t>& shape) const;   // throws ModelError: absent, another shape
  metrics::WeightSource source() const;                                                     // read(), while this lives
  // Of the file itself, as sha256sum prints it; of several one after another.
  const std::string& sha256() const { return hash_; }

 private:
  const at::Tensor* find(const std::string& name) const;

  std::string files_, hash_;             // the files as a message names them
  std::map<std::string, at::Tensor> tensors_;
};

// SHA-256 of the files' bytes, one after another.
std::string filesHash(const std::vector<std::filesystem::path>& files);

}  // namespace quantspot::service
