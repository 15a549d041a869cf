// Arrays in numpy's .npz archives: the statistics files (mu, sigma) of FID, features of KID.
#pragma once

#include "metrics/zip_archive.h"

#include <ATen/core/Tensor.h>

#include <map>

namespace quantspot::metrics {

// Every array of the archive (little-endian numbers, C order), without ".npy" in its name. Objects, which would be pickles, are refused.
// Throws FileError.
std::map<std::string, at::Tensor> readNpz(const std::filesystem::path& path);
std::map<std::string, at::Tensor> readNpz(const std::filesystem::path& name, Bytes file);   // its bytes; name: for messages
// float64, float32 or int64 arrays; the file appears under its name when it is complete. Throws FileError.
void writeNpz(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& arrays);

}  // namespace quantspot::metrics
