// Weights as torch.save and torch.jit.save write them (.pth, .pt): the tensors alone. Nothing in such a file is run.
#pragma once

#include "metrics/pickle.h"

#include <ATen/core/Tensor.h>

#include <map>

namespace quantspot::metrics {

// All tensors by their names in the state_dict; keys of nested dictionaries and TorchScript's modules are joined by dots. Owned copies.
// Both forms of torch.save are read (since 1.6 a ZIP archive, before that pickles one after another). Throws FileError.
std::map<std::string, at::Tensor> readTorchFile(const std::filesystem::path& path);

}  // namespace quantspot::metrics
