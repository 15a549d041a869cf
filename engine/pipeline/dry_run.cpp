#include "engine/pipeline/dry_run.h"

#include "engine/model/ops.h"
#include "engine/pipeline/memory.h"
#include "quant/cpu_features.h"

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <torch/library.h>

#include <algorithm>
#include <memory>

namespace quantspot::pipeline {
namespace {

struct Ledger {
  std::int64_t live = 0, loose = 0, tight = 0, held = 0;   // now
  DryPeak peak;

  void add(std::int64_t bytes) {
    live += bytes;
    if (std::abs(bytes) < kLooseBlock) loose += bytes;
    if (std::abs(bytes) < kTightBlock) tight += bytes;
    reach();
    peak.small = std::max(peak.small, loose);
    peak.smallTight = std::max(peak.smallTight, tight);
  }
  void hold(std::int64_t bytes) {
    live += bytes;
    held += bytes;
    reach();
  }

 private:
  void reach() {
    if (live > peak.bytes) peak.bytes = live, peak.held = held;
  }
};
thread_local std::shared_ptr<Ledger> current;   // of the dry run of this thread

struct Block {
  std::shared_ptr<Ledger> ledger;
  std::int64_t bytes;
};

void release(void* context) {
  const std::unique_ptr<Block> block(static_cast<Block*>(context));
  block->ledger->add(-block->bytes);
}

// In place of torch's own, which counts nothing. Tensors of the meta device have no memory in either.
class CountingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (!current) return {nullptr, nullptr, &ignore, at::Device(at::kMeta)};
    current->add(static_cast<std::int64_t>(bytes));
    return {nullptr, new Block{current, static_cast<std::int64_t>(bytes)}, &release, at::Device(at::kMeta)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &ignore; }
  void copy_data(void*, const void*, std::size_t) const override {}

 private:
  static void ignore(void*) {}
};

void countMetaTensors() {
  static CountingAllocator counting;
  static const bool once = (c10::SetAllocator(c10::kMeta, &counting, 255), true);
  (void)once;
}

std::int64_t bytesOf(const at::Tensor& x) { return x.defined() ? static_cast<std::int64_t>(x.nbytes()) : 0; }

// What oneDNN takes inside (measured with torch 2.13, 3 to 512 channels, within 2 %): a copy of the input in an order of its own, the weight, and results
// whose channels are filled up to 16. A product of pixels in bf16 adds its sums in float32, picture by picture; in float32 it needs no copy.
std::int64_t convolutionScratch(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& y) {
  if (weight.numel() == weight.size(0) * weight.size(1)) {
    const std::int64_t sums = weight.size(1) > 64 ? 4 * y.numel() / y.size(0) : 0;
    return x.scalar_type() == at::kFloat ? 0 : bytesOf(x) + sums;
  }
  const std::int64_t channels = (weight.size(0) + 15) / 16 * 16;
  return bytesOf(x) + bytesOf(weight) + (channels == weight.size(0) ? 0 : bytesOf(y) / weight.size(0) * channels);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>&, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool, at::IntArrayRef, std::int64_t) {
  const auto along = [](at::IntArrayRef values, std::int64_t axis) {   // one number: of all axes
    return values[std::min(static_cast<std::size_t>(axis - 2), values.size() - 1)];
  };
  std::vector<std::int64_t> shape = {x.size(0), weight.size(0)};
  for (std::int64_t axis = 2; axis < x.dim(); ++axis)
    shape.push_back((x.size(axis) + 2 * along(padding, axis) - along(dilation, axis) * (weight.size(axis) - 1) - 1) / along(stride, axis) + 1);
  const at::Tensor y = at::empty(shape, x.options());
  if (!model::meansGpu()) addScratch(convolutionScratch(x, weight, y));
  return y;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layerNorm(const at::Tensor& x, c10::SymIntArrayRef normalized, const std::optional<at::Tensor>&,
                                                         const std::optional<at::Tensor>&, double) {
  std::vector<std::int64_t> rows(x.sizes().begin(), x.sizes().end() - static_cast<std::ptrdiff_t>(normalized.size()));
  const at::Tensor mean = at::empty(rows, x.options().dtype(at::kFloat));
  return {at::empty(x.sizes(), x.options()), mean, at::empty_like(mean)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> groupNorm(const at::Tensor& x, const std::optional<at::Tensor>&,
                                                         const std::optional<at::Tensor>&, c10::SymInt n, c10::SymInt,
                                                         c10::SymInt, std::int64_t groups, double) {
  const at::Tensor mean = at::empty({n.expect_int(), groups}, x.options());
  return {at::empty(x.sizes(), x.options()), mean, at::empty_like(mean)};
}

// The flash kernels: no matrix of scores. Their result lies as (B, L, H, D).
at::Tensor attention(const at::Tensor& q, const at::Tensor&, const at::Tensor& v, const std::optional<at::Tensor>&, double, bool,
                     std::optional<double>, bool) {
  const at::Tensor y = at::empty({q.size(0), q.size(2), q.size(1), v.size(3)}, q.options());
  addScratch(4 * q.size(0) * q.size(1) * q.size(2));
  return y.transpose(1, 2);
}

at::Tensor indexSelect(const at::Tensor& x, std::int64_t axis, const at::Tensor& index) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape[static_cast<std::size_t>(axis < 0 ? axis + x.dim() : axis)] = index.numel();
  return at::empty(shape, x.options());
}

at::Tensor where(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b) {
  const std::vector<std::int64_t> both = at::infer_size(a.sizes(), b.sizes());
  return at::empty(at::infer_size(condition.sizes(), both), a.options().dtype(at::result_type(a, b)));
}

at::Tensor alike(const at::Tensor& x) { return at::empty(x.sizes(), x.options()); }

// torch has these for the meta device in Python only.
TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("convolution", TORCH_FN(convolution));
  m.impl("native_layer_norm", TORCH_FN(layerNorm));
  m.impl("native_group_norm", TORCH_FN(groupNorm));
  m.impl("scaled_dot_product_attention", TORCH_FN(attention));
  m.impl("index_select", TORCH_FN(indexSelect));
  m.impl("where.self", TORCH_FN(where));
  m.impl("abs", TORCH_FN(alike));
  m.impl("relu", TORCH_FN(alike));
}

constexpr std::int64_t kTile = 16 << 20;   // of expanded rows: quant/packed_linear.cpp, conv2d.cpp

// Products of 8-bit codes: activations are coded, sums are exact, and nothing is expanded.
bool multipliesCodes(std::string_view precision) {
  for (const char* id : {"bnb-int8", "torchao-int8dq", "quanto-int8a8", "int8-dynamic"})
    if (precision.starts_with(id)) return true;
  return false;
}

}  // namespace

DryPeak peakOfDryRun(const std::function<void()>& work) {
  countMetaTensors();
  struct Scope {
    std::shared_ptr<Ledger> before = std::exchange(current, std::make_shared<Ledger>());
    ~Scope() { current = before; }
  } scope;
  work();
  return current->peak;
}

void addScratch(std::int64_t bytes) {
  if (!current) return;
  current->add(bytes);
  current->add(-bytes);
}

struct HeldWeight::Counted {
  std::shared_ptr<Ledger> ledger;
  std::int64_t bytes;
};

HeldWeight::HeldWeight(std::int64_t bytes) : counted_(current && bytes > 0 ? std::make_unique<Counted>(Counted{current, bytes}) : nullptr) {
  if (counted_) counted_->ledger->hold(bytes);
}

HeldWeight::~HeldWeight() {
  if (counted_) counted_->ledger->hold(-counted_->bytes);
}

at::Tensor uncounted(at::IntArrayRef shape, at::ScalarType type) {
  const auto before = std::exchange(current, nullptr);
  at::Tensor made = at::empty(shape, at::TensorOptions(type).device(at::kMeta));
  current = before;
  return made;
}

at::Tensor dryProduct(const quant::Quantizer& quantizer, const at::Tensor& x, std::int64_t in, std::int64_t out) {
  const at::Tensor rows = x.reshape({-1, in}).to(quantizer.computeType()).contiguous();
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = out;
  const auto made = [&](at::ScalarType type) { return at::empty({rows.size(0), out}, rows.options().dtype(type)); };
  const bool plain = quantizer.name() == "bf16" || quantizer.name() == "fp16" || quantizer.name() == "fp32";
  const at::ScalarType compute = quantizer.computeType();
  if (multipliesCodes(quantizer.name())) {
    const at::Tensor codes = at::empty({rows.size(0), in}, rows.options().dtype(at::kChar));
    return made(compute).to(x.scalar_type()).view(shape);
  }
  const bool native = model::meansGpu() || compute == at::kFloat || (compute == at::kBFloat16 && quant::hasBf16Gemm());
  const at::ScalarType product = native ? compute : at::kFloat;
  const std::int64_t expanded = out * in * static_cast<std::int64_t>(c10::elementSize(product));
  if (plain && native) return made(compute).to(x.scalar_type()).view(shape);
  const at::Tensor input = rows.to(product);
  addScratch(model::meansGpu() ? expanded : std::min(expanded, kTile));
  if (expanded > kTile && current) current->peak.tiles = kTile;
  if (expanded <= kTile || model::meansGpu()) return made(product).to(compute).to(x.scalar_type()).view(shape);
  const at::Tensor whole = made(compute);
  addScratch(kTile + rows.size(0) * out / ((expanded + kTile - 1) / kTile) * static_cast<std::int64_t>(c10::elementSize(product)));
  return whole.to(x.scalar_type()).view(shape);
}

at::Tensor dryConvolution(const quant::Quantizer& quantizer, const at::Tensor& x, at::IntArrayRef shape, const quant::Conv2dOptions& how) {
  const at::ScalarType compute = quantizer.computeType();
  const bool native = model::meansGpu() || compute == at::kFloat || (compute == at::kBFloat16 && quant::hasBf16Gemm());
  const at::Tensor in = x.to(compute).to(native ? compute : at::kFloat);
  const std::int64_t perChannel = shape[1] * shape[2] * shape[3] * static_cast<std::int64_t>(in.element_size());
  const std::int64_t tile = std::clamp<std::int64_t>(kTile / perChannel, 1, shape[0]);
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < shape[0]; begin += tile) {
    const at::Tensor weight = at::empty({std::min(tile, shape[0] - begin), shape[1], shape[2], shape[3]}, in.options());
    const std::vector<std::int64_t> zeros(how.stride.size());
    parts.push_back(at::convolution(in, weight, {}, how.stride, how.padding, how.dilation, false, zeros, 1).to(compute).to(x.scalar_type()));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

}  // namespace quantspot::pipeline
