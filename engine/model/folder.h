// What lies in a model's folder, and the errors of reading it.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

// One clear line: what failed, on which file and tensor, what to do.
struct ModelError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ModelSummary {
  std::string name, family;              // folder name; "flux"
  std::filesystem::path path;
  std::int64_t bytes = 0;                // of all weight files
  std::vector<std::string> missing;      // "text_encoder_2 is missing: …"
};

// Throws ModelError when the folder is no diffusers pipeline at all; parts that are absent are listed in `missing`.
ModelSummary inspectFolder(const std::filesystem::path& folder);
// Whether model_index.json says that the pipeline does without a part ([null, null]).
bool leavesOut(const std::filesystem::path& folder, std::string_view part);
// SHA-256 (hex) over the names and bytes of all weight files, in sorted order of their relative paths.
std::string weightsHash(const std::filesystem::path& folder);

}  // namespace quantspot::model
