#include "engine/model/gguf_weights.h"

#include "engine/model/folder.h"
#include "engine/model/single/contents.h"
#include "quant/gguf.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::model {
namespace {

at::ScalarType plainType(quant::GgmlType type) {
  return type == quant::GgmlType::F32 ? at::kFloat : type == quant::GgmlType::F16 ? at::kHalf : at::kBFloat16;
}

const std::vector<std::int64_t>& shapeOf(const GgufTensor& tensor) { return tensor.original.empty() ? tensor.shape : tensor.original; }

}  // namespace

GgufWeights::GgufWeights(const std::filesystem::path& path) : file_(path) {
  const auto parts = contentsOf(tensorShapes(), path);
  const FoundPart* denoiser = findPart(parts, "flux");
  if (!denoiser) denoiser = findPart(parts, "unet");
  if (!denoiser)
    throw ModelError(fmt::format("{}: holds no FLUX transformer and no UNet: neither 'double_blocks.0.img_attn.qkv.weight' nor "
                                 "'transformer_blocks.0.attn.add_q_proj.weight' nor 'input_blocks.0.0.weight' is there",
                                 path.string()));
  views_ = denoiser->views;
  check();
}

GgufWeights::GgufWeights(const std::filesystem::path& path, Views views) : file_(path) {
  checkViews(views, tensorShapes(), path);
  views_ = std::move(views);
  check();
}

Shapes GgufWeights::tensorShapes() const {
  Shapes all;
  for (const auto& [name, tensor] : file_.tensors()) all[name] = shapeOf(tensor);
  return all;
}

Shapes GgufWeights::shapes() const { return shapesOf(views_, tensorShapes()); }

void GgufWeights::check() const {
  for (const auto& [name, view] : views_)
    if (const GgufTensor& tensor = file_.tensors().at(view.tensor); tensor.shape.size() == 1 && quant::ggmlType(tensor.type).elements != 1)
      throw ModelError(fmt::format("{}: tensor '{}' is a vector in {}; vectors are F32, F16 or BF16", path().string(), view.tensor,
                                   quant::ggmlType(tensor.type).name));
}

std::vector<std::int64_t> GgufWeights::shape(const std::string& name) const {
  const TensorView& view = views_.at(name);
  return model::shapeOf(view, shapeOf(file_.tensors().at(view.tensor)));
}

at::Tensor GgufWeights::rowsOf(const TensorView& view) const {
  const GgufTensor& tensor = file_.tensors().at(view.tensor);
  const std::int64_t rows = view.rows > 0 ? view.rows : tensor.shape.front();
  at::Tensor bytes;
  if (tensor.shape.size() == 1) {   // a vector is one row of the file; here its elements are the rows
    const std::int64_t element = quant::ggmlType(tensor.type).bytes;
    bytes = file_.copyRows(tensor, 0, 1).narrow(1, view.firstRow * element, rows * element).contiguous().view({rows, element});
  } else {
    std::int64_t inner = 1;   // a row of the file is one of its last dimension
    for (std::size_t i = 1; i + 1 < tensor.shape.size(); ++i) inner *= tensor.shape[i];
    bytes = file_.copyRows(tensor, view.firstRow * inner, rows * inner).view({rows, -1});
  }
  return view.swapsHalves ? bytes.roll(rows / 2, 0) : bytes;
}

at::Tensor GgufWeights::reshaped(const TensorView& view) const {
  const GgufTensor& tensor = file_.tensors().at(view.tensor);
  const at::Tensor bytes = rowsOf({.tensor = view.tensor});
  const bool plain = quant::ggmlType(tensor.type).elements == 1;
  const quant::Gguf* const blocks = plain ? nullptr : &quant::ggufQuantizer(tensor.type);
  at::Tensor values = plain ? bytes.view(plainType(tensor.type))
                            : blocks->values(blocks->adopt(bytes, {bytes.size(0), bytes.size(1) / blocks->type().bytes * blocks->type().elements}));
  values = values.reshape(tensor.original);
  if (view.rows > 0) values = values.narrow(0, view.firstRow, view.rows);
  return (view.swapsHalves ? values.roll(values.size(0) / 2, 0) : values).contiguous();
}

at::Tensor GgufWeights::read(const std::string& name) const {
  const TensorView& view = views_.at(name);
  const GgufTensor& tensor = file_.tensors().at(view.tensor);
  at::Tensor values;
  if (!tensor.original.empty()) {
    values = reshaped(view);
  } else {
    const at::Tensor bytes = rowsOf(view);
    TensorView upright = view;
    upright.transposed = false;
    const auto shape = model::shapeOf(upright, tensor.shape);
    if (quant::ggmlType(tensor.type).elements == 1) {
      values = bytes.view(plainType(tensor.type)).view(shape);
    } else {
      const quant::Gguf& blocks = quant::ggufQuantizer(tensor.type);
      values = blocks.values(blocks.adopt(bytes, {bytes.size(0), bytes.size(1) / blocks.type().bytes * blocks.type().elements})).view(shape);
    }
  }
  return view.transposed && values.dim() == 2 ? values.t().contiguous() : values;
}

std::string_view GgufWeights::blocksOf(const std::string& name) const {
  const TensorView& view = views_.at(name);
  const GgufTensor& tensor = file_.tensors().at(view.tensor);
  // Blocks that reach over the ends of rows stand for values only.
  const bool inRows = tensor.shape.size() == 2 && tensor.original.empty() && !view.transposed;
  return inRows ? quant::ggmlType(tensor.type).id : std::string_view();
}

std::optional<quant::QuantizedTensor> GgufWeights::packed(const std::string& name) const {
  if (blocksOf(name).empty()) return {};
  const TensorView& view = views_.at(name);
  return quant::ggufQuantizer(file_.tensors().at(view.tensor).type).adopt(rowsOf(view), shape(name));
}

std::string_view GgufWeights::mainPrecision() const {
  std::map<quant::GgmlType, std::size_t> bytes;
  for (const auto& [name, tensor] : file_.tensors())
    if (!quant::ggmlType(tensor.type).id.empty()) bytes[tensor.type] += tensor.bytes.size();
  if (bytes.empty()) return {};
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return quant::ggmlType(most->first).id;
}

}  // namespace quantspot::model
