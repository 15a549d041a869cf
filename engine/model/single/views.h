// How tensors of a file in another naming stand for diffusers' tensors: some rows of one, turned about where need be.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;   // tensor of a file → extents, outermost first

struct TensorView {
  std::string tensor;                    // in the file
  std::int64_t firstRow = 0, rows = 0;   // of its first dimension; 0 rows: all of them
  bool swapsHalves = false;              // of the rows
  bool transposed = false;               // of a matrix, after all else
  bool operator==(const TensorView&) const = default;
};
using Views = std::map<std::string, TensorView>;                   // diffusers' name → where it lies

// Every tensor's extents in a safetensors or GGUF file (by its ending). Throws ModelError.
Shapes shapesOf(const std::filesystem::path& file);
std::vector<std::int64_t> shapeOf(const TensorView& view, const std::vector<std::int64_t>& whole);
// The views' shapes by diffusers' names.
Shapes shapesOf(const Views& views, const Shapes& file);

// What a folder holds in place of weights: the views, and beside it a link to the file, which they name.
inline constexpr const char* kViewsFile = "quantspot_views.json";
void saveViews(const std::filesystem::path& folder, const std::filesystem::path& file, const Views& views);
Views readViews(const std::filesystem::path& folder, std::filesystem::path& file);   // throws ModelError

}  // namespace quantspot::model
