#include "engine/pipeline/hash_cache.h"

#include "engine/model/folder.h"
#include "engine/model/sha256.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <vector>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

fs::path defaultCache() {
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (xdg && *xdg) return fs::path(xdg) / "quantspot" / "weights.json";
  return home && *home ? fs::path(home) / ".cache" / "quantspot" / "weights.json" : fs::path();
}

nlohmann::json readCache(const fs::path& cache) {
  std::ifstream in(cache);
  nlohmann::json all = nlohmann::json::parse(in, nullptr, false);
  return all.is_object() ? all : nlohmann::json::object();
}

// Renamed into place, so that two engines never leave half a file.
void writeCache(const fs::path& cache, const nlohmann::json& all) {
  std::error_code ignored;
  fs::create_directories(cache.parent_path(), ignored);
  const fs::path fresh = cache.string() + "." + std::to_string(::getpid());
  std::ofstream out(fresh);
  out << all.dump(1);
  out.close();
  if (out) fs::rename(fresh, cache, ignored);
}

}  // namespace

std::string filesStamp(const fs::path& folder) {
  std::vector<std::string> lines;
  const fs::path root = fs::weakly_canonical(folder);
  for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::follow_directory_symlink)) {
    if (!entry.is_regular_file()) continue;
    if (entry.path().extension() == ".json") {   // what they say: those of a folder put together anew are as they were
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      lines.push_back(entry.path().lexically_relative(root).string() + ' ' + model::sha256Hex(text.data(), text.size()));
      continue;
    }
    const auto time = entry.last_write_time().time_since_epoch().count();
    // Where a link leads to: a folder put together of links anew is not read anew.
    const std::string name = entry.path().lexically_relative(root).string() + ' ' + fs::canonical(entry.path()).string();
    lines.push_back(name + ' ' + std::to_string(entry.file_size()) + ' ' + std::to_string(time));
  }
  std::ranges::sort(lines);
  model::Sha256 hash;
  for (const std::string& line : lines) hash.add(line + '\n');
  return hash.hex();
}

HashCache::HashCache() : cache_(defaultCache()) {}

std::string HashCache::weightsHash(const fs::path& model) const {
  return remembered(model, "", [&] { return model::weightsHash(model); });
}

std::string HashCache::remembered(const fs::path& folder, const std::string& kind, const std::function<std::string()>& compute) const {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;
  const std::string stamp = kind + filesStamp(folder);
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(stamp); found != known.end()) return found->second;
  nlohmann::json stored = cache_.empty() ? nlohmann::json::object() : readCache(cache_);
  if (const auto found = stored.find(stamp); found != stored.end() && found->is_string()) return known[stamp] = found->get<std::string>();
  const std::string hash = compute();
  stored[stamp] = hash;
  if (!cache_.empty()) writeCache(cache_, stored);
  return known[stamp] = hash;
}

}  // namespace quantspot::pipeline
