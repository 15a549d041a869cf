#include "engine/model/viewed_safetensors.h"

#include "engine/model/folder.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

namespace quantspot::model {

std::vector<std::string> TensorSource::names() const {
  std::vector<std::string> all;
  for (const auto& [name, view] : views_) all.push_back(name);
  return all;
}

void checkViews(const Views& views, const Shapes& file, const std::filesystem::path& path) {
  for (const auto& [name, view] : views) {
    const auto found = file.find(view.tensor);
    if (found == file.end()) throw ModelError(fmt::format("{}: tensor '{}' is missing", path.string(), view.tensor));
    const std::int64_t rows = found->second.empty() ? 1 : found->second.front();
    if (view.rows < 0 || view.firstRow < 0 || view.firstRow + view.rows > rows || (view.swapsHalves && rows % 2 != 0))
      throw ModelError(fmt::format("{}: tensor '{}' has {} rows, which '{}' cannot be a part of", path.string(), view.tensor, rows, name));
  }
}

ViewedSafeTensors::ViewedSafeTensors(const std::filesystem::path& path, Views views) : file_(path) {
  Shapes shapes;
  for (const auto& [name, entry] : file_.entries()) shapes[name] = entry.shape;
  checkViews(views, shapes, path);
  views_ = std::move(views);
}

std::vector<std::int64_t> ViewedSafeTensors::shape(const std::string& name) const {
  const TensorView& view = views_.at(name);
  return shapeOf(view, file_.entries().at(view.tensor).shape);
}

void ViewedSafeTensors::checkType(const std::string& name) const {
  const TensorView& view = views_.at(name);
  if (const auto type = file_.entries().at(view.tensor).dtype; !at::isFloatingType(type))
    throw ModelError(fmt::format("{}: tensor '{}' is {}; only floating-point weights can be read", path().string(), view.tensor, c10::toString(type)));
}

at::Tensor ViewedSafeTensors::read(const std::string& name) const {
  checkType(name);
  const TensorView& view = views_.at(name);
  TensorEntry part = file_.entries().at(view.tensor);
  if (view.rows > 0 && !part.shape.empty()) {   // rows lie one after the other
    const std::size_t row = part.bytes.size() / static_cast<std::size_t>(part.shape.front());
    part.bytes = part.bytes.subspan(row * static_cast<std::size_t>(view.firstRow), row * static_cast<std::size_t>(view.rows));
    part.shape.front() = view.rows;
  }
  at::Tensor values = file_.copy(part);
  if (view.swapsHalves) values = values.roll(values.size(0) / 2, 0);
  return view.transposed && values.dim() == 2 ? values.t().contiguous() : values;
}

}  // namespace quantspot::model
