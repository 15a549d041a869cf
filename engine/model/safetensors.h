// The safetensors format: 8 bytes of header length (little endian), a JSON header, the tensors' bytes.
// Source of the rules: the safetensors crate, version 0.8 (`SafeTensors::deserialize`, `Metadata::validate`).
#pragma once

#include "engine/model/mapped_file.h"

#include <ATen/core/Tensor.h>
#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace quantspot::model {

struct TensorEntry {
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // inside the mapping
};

// One file. The header is checked as a whole when it is opened: length, JSON, dtypes, sizes, offsets, overlaps, truncation.
class SafeTensors {
 public:
  explicit SafeTensors(const std::filesystem::path& path);  // throws ModelError with the file and the tensor

  const std::map<std::string, TensorEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return file_.path(); }
  at::Tensor copy(const TensorEntry& entry) const;  // owned, in the file's dtype; the mapped pages are released
  void willNeed(const TensorEntry& entry) const { file_.willNeed(entry.bytes); }   // copy() comes soon

 private:
  void parse(const std::string& name, const nlohmann::json& json, std::size_t dataBegin);
  void checkCoverage(std::size_t dataBegin) const;
  [[noreturn]] void fail(const std::string& what) const;

  MappedFile file_;
  std::map<std::string, TensorEntry> entries_;
  std::map<std::string, std::string> metadata_;   // what "__metadata__" says
};

// Writes tensors (any device; made contiguous) in the given order; metadata goes into "__metadata__". The file appears
// under its name only when it is complete. Throws ModelError when it cannot be written or a dtype has no name in the format.
void saveSafeTensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                     const std::map<std::string, std::string>& metadata = {});

}  // namespace quantspot::model
