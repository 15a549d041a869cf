#include "engine/model/folder.h"

#include "engine/model/config.h"
#include "engine/model/family.h"
#include "engine/model/links.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/model/weights.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace quantspot::model {
namespace {

namespace fs = std::filesystem;

std::string nameOf(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole.filename() : whole.parent_path().filename()).string();
}

bool isOptional(const fs::path& folder, std::string_view part) {
  const auto& optional = familyOf(folder).info().optional;
  return std::ranges::find(optional, part) != optional.end() && leavesOut(folder, part);
}

// Weight files of all components that have some, sorted by their path inside the folder.
std::vector<fs::path> allWeights(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const std::string_view part : familyOf(folder).info().weighted) {
    if (isOptional(folder, part)) continue;
    const auto found = weightFiles(folder / part);
    files.insert(files.end(), found.begin(), found.end());
  }
  std::sort(files.begin(), files.end(), [&](const fs::path& a, const fs::path& b) {
    return a.lexically_relative(folder).generic_string() < b.lexically_relative(folder).generic_string();
  });
  return files;
}

void inspectWeighted(const fs::path& folder, std::string_view part, ModelSummary& summary) {
  try {
    if (!isThere(folder / part / "config.json")) {
      summary.missing.push_back(fmt::format("{} is missing: {} does not exist", part, (folder / part / "config.json").string()));
      return;
    }
    for (const fs::path& file : weightFiles(folder / part)) {
      if (!fs::is_regular_file(file)) throw ModelError(fmt::format("{}: is not a regular file", file.string()));
      summary.bytes += static_cast<std::int64_t>(fs::file_size(file));
    }
  } catch (const ModelError& error) {
    summary.missing.push_back(fmt::format("{} is missing: {}", part, error.what()));
  }
}

}  // namespace

bool leavesOut(const fs::path& folder, std::string_view part) {
  const auto index = readJson(folder / "model_index.json");
  const auto found = index.find(part);
  return found != index.end() && found->is_array() && !found->empty() && found->front().is_null();
}

ModelSummary inspectFolder(const fs::path& folder) {
  if (!isThere(folder) || !fs::is_directory(folder)) throw ModelError(fmt::format("{}: there is no such folder", folder.string()));
  if (!isThere(folder / "model_index.json"))
    throw ModelError(fmt::format("{}: is no diffusers pipeline: model_index.json is missing", folder.string()));
  ModelSummary summary;
  summary.name = nameOf(folder);
  const FamilyInfo& family = familyOf(folder).info();
  summary.family = family.id;
  summary.path = folder;
  for (const std::string_view part : family.weighted)
    if (!isOptional(folder, part)) inspectWeighted(folder, part, summary);
  for (const auto& [part, file] : family.plain) try {
      if (!isOptional(folder, part) && !isThere(folder / part / file) && !isThere(folder / part / "tokenizer.json"))
        summary.missing.push_back(fmt::format("{} is missing: {} does not exist", part, (folder / part / file).string()));
    } catch (const ModelError& error) {
      summary.missing.push_back(fmt::format("{} is missing: {}", part, error.what()));
    }
  return summary;
}

std::string weightsHash(const fs::path& folder) {
  constexpr std::size_t kChunk = std::size_t{16} << 20;  // pages are given back chunk by chunk
  Sha256 hash;
  for (const fs::path& path : allWeights(folder)) {
    hash.add(path.lexically_relative(folder).generic_string());
    const MappedFile file(path);
    for (auto rest = file.bytes(); !rest.empty(); rest = rest.subspan(std::min(rest.size(), kChunk))) {
      const auto chunk = rest.first(std::min(rest.size(), kChunk));
      hash.add(chunk.data(), chunk.size());
      file.release(chunk);
    }
  }
  return hash.hex();
}

}  // namespace quantspot::model
