// The GGUF format, versions 2 and 3: magic, counts, key–value pairs, tensor headers, then the tensors' bytes, each aligned.
// Source of the rules: ggml's docs/gguf.md and gguf.cpp.
#pragma once

#include "engine/model/mapped_file.h"
#include "quant/ggml_types.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace quantspot::model {

// A scalar of any width, or a string. Arrays are checked and left out, but for the original shapes of tensors.
using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string>;

struct GgufTensor {
  quant::GgmlType type = quant::GgmlType::F32;
  std::vector<std::int64_t> shape;   // outermost first, as everywhere here; the file has it the other way round
  std::vector<std::int64_t> original = {};   // what it is to be where the file holds it as rows of 256 (ComfyUI-GGUF does); else empty
  std::span<const std::byte> bytes;  // inside the mapping
};

// One file. Everything before the tensors' bytes is checked when it is opened: counts, lengths, types, shapes, offsets, overlaps,
// truncation.
class GgufFile {
 public:
  explicit GgufFile(const std::filesystem::path& path);  // throws ModelError with the file and the key or tensor

  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return file_.path(); }
  // Rows first … first+rows−1 of a tensor of at least one dimension as an owned (rows, bytes of a row) uint8 tensor.
  at::Tensor copyRows(const GgufTensor& tensor, std::int64_t first, std::int64_t rows) const;
  void willNeed(const GgufTensor& tensor) const { file_.willNeed(tensor.bytes); }   // copyRows() comes soon

 private:
  MappedFile file_;
  std::map<std::string, GgufTensor> tensors_;
  std::map<std::string, GgufValue> metadata_;
};

// A tensor to be written: `bytes` is called once, when its turn comes, and gives the packed rows (uint8, any shape).
struct GgufItem {
  std::string name;
  quant::GgmlType type;
  std::vector<std::int64_t> shape;
  std::function<at::Tensor()> bytes;
};

// Writes version 3 with the default alignment. Integers are written as uint32. The file appears under its name only when it is
// complete. Throws ModelError when it cannot be written, and what `bytes` throws.
void saveGguf(const std::filesystem::path& path, const std::vector<std::pair<std::string, std::variant<std::uint32_t, std::string>>>& metadata,
              const std::vector<GgufItem>& items);

// How many bytes a tensor of this type and shape has; −1: the rows are no multiple of the block, or the number is too large.
std::int64_t ggmlBytes(const quant::GgmlTypeInfo& type, const std::vector<std::int64_t>& shape);

}  // namespace quantspot::model
