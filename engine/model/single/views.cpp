#include "engine/model/single/views.h"

#include "engine/model/config.h"
#include "engine/model/gguf.h"
#include "engine/model/safetensors.h"

#include <fstream>

namespace quantspot::model {

namespace fs = std::filesystem;

Shapes shapesOf(const fs::path& file) {
  Shapes shapes;
  if (file.extension() == ".gguf") {
    const GgufFile gguf(file);
    for (const auto& [name, tensor] : gguf.tensors()) shapes[name] = tensor.original.empty() ? tensor.shape : tensor.original;
  } else {
    const SafeTensors safe(file);
    for (const auto& [name, entry] : safe.entries()) shapes[name] = entry.shape;
  }
  return shapes;
}

std::vector<std::int64_t> shapeOf(const TensorView& view, const std::vector<std::int64_t>& whole) {
  std::vector<std::int64_t> shape = whole;
  if (view.rows > 0 && !shape.empty()) shape.front() = view.rows;
  if (view.transposed && shape.size() == 2) std::swap(shape[0], shape[1]);
  return shape;
}

Shapes shapesOf(const Views& views, const Shapes& file) {
  Shapes shapes;
  for (const auto& [name, view] : views) shapes[name] = shapeOf(view, file.at(view.tensor));
  return shapes;
}

void saveViews(const fs::path& folder, const fs::path& file, const Views& views) {
  fs::create_directories(folder);
  fs::create_symlink(fs::absolute(file), folder / file.filename());
  nlohmann::json json = {{"file", file.filename().string()}, {"views", nlohmann::json::object()}};
  for (const auto& [name, view] : views) json["views"][name] = {view.tensor, view.firstRow, view.rows, view.swapsHalves, view.transposed};
  std::ofstream(folder / kViewsFile) << json.dump();
}

Views readViews(const fs::path& folder, fs::path& file) {
  const Config json(folder / kViewsFile);
  file = folder / json.need<std::string>("file");
  Views views;
  for (const auto& [name, view] : json.need<std::map<std::string, std::tuple<std::string, std::int64_t, std::int64_t, bool, bool>>>("views"))
    views[name] = {std::get<0>(view), std::get<1>(view), std::get<2>(view), std::get<3>(view), std::get<4>(view)};
  return views;
}

}  // namespace quantspot::model
