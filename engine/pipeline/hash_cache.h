// The hash of a model's weights, computed once per state of its files: 12 GB are not read again for every sample.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace quantspot::pipeline {

// Names, sizes and times of all files below a folder, as one hash: another one whenever a file changes.
std::string filesStamp(const std::filesystem::path& folder);

// Like model::weightsHash. Remembered under names, sizes and times of all files, in this process and in `cache` (a JSON file;
// default: $XDG_CACHE_HOME/quantspot/weights.json). A cache that cannot be read or written is as good as none.
class HashCache {
 public:
  HashCache();
  explicit HashCache(std::filesystem::path cache) : cache_(std::move(cache)) {}
  std::string weightsHash(const std::filesystem::path& model) const;
  // Of any folder: what `hash` says of its files, remembered the same way under `kind`.
  std::string remembered(const std::filesystem::path& folder, const std::string& kind, const std::function<std::string()>& hash) const;

 private:
  std::filesystem::path cache_;
};

}  // namespace quantspot::pipeline
