#include "engine/model/ops.h"

#include "quant/cpu_features.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace quantspot::model {
namespace {

// Written with separate operations, as transformers does: each of them rounds in bf16.
at::Tensor geluNew(const at::Tensor& x) {
  return 0.5 * x * (1.0 + at::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * at::pow(x, 3.0))));
}
at::Tensor quickGelu(const at::Tensor& x) { return x * at::sigmoid(1.702 * x); }
at::Tensor geluErf(const at::Tensor& x) { return at::gelu(x); }
at::Tensor geluTanh(const at::Tensor& x) { return at::gelu(x, "tanh"); }
at::Tensor relu(const at::Tensor& x) { return at::relu(x); }
at::Tensor silu(const at::Tensor& x) { return at::silu(x); }
at::Tensor mish(const at::Tensor& x) { return at::mish(x); }

constexpr std::pair<const char*, Activation> kActivations[] = {
    {"quick_gelu", quickGelu}, {"gelu", geluErf}, {"gelu_new", geluNew}, {"gelu_pytorch_tanh", geluTanh},
    {"relu", relu},            {"silu", silu},    {"swish", silu},       {"mish", mish}};

thread_local bool forGpu = false;

bool needsFloat(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 && (x.is_cpu() || (x.is_meta() && !forGpu)) && !quant::hasBf16Gemm();
}

std::optional<at::Tensor> optional(const at::Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

constexpr std::int64_t kScoresAtOnce = std::int64_t{1} << 26;

// Some rows of the queries at a time, so that their scores stay small.
at::Tensor attentionIn(at::ScalarType softmax, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
  const std::int64_t queries = q.size(-2), keys = k.size(-2), rows = std::max<std::int64_t>(1, kScoresAtOnce / (q.size(0) * q.size(1) * keys));
  const at::Tensor bias = options.bias.defined() ? options.bias.expand({q.size(0), q.size(1), queries, keys}) : at::Tensor();
  std::vector<at::Tensor> out;
  for (std::int64_t first = 0; first < queries; first += rows) {
    const std::int64_t end = std::min(queries, first + rows);
    at::Tensor scores = at::matmul(q.slice(-2, first, end), k.transpose(-1, -2)) * scale;
    if (bias.defined()) scores = scores + bias.slice(-2, first, end);
    if (options.causal) scores = scores + at::full({end - first, keys}, -INFINITY, scores.options()).triu(1 + first);
    out.push_back(at::matmul(at::softmax(scores.to(softmax), -1).to(v.scalar_type()), v));
  }
  return out.size() == 1 ? out.front() : at::cat(out, -2);
}

}  // namespace

Activation findActivation(const std::string& name) {
  for (const auto& [known, function] : kActivations)
    if (name == known) return function;
  return nullptr;
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
  if (options.softmax) return attentionIn(*options.softmax, q, k, v, options);
  // bf16 also where the CPU has no instructions for it: torch's kernel is as fast as the one in fp32 there (unlike its matrix
  // product), and rounds the probabilities as the reference does.
  return at::scaled_dot_product_attention(q, k, v, optional(options.bias), 0.0, options.causal, options.scale);
}

at::Tensor splitHeads(const at::Tensor& x, std::int64_t heads) { return x.unflatten(-1, {heads, -1}).transpose(1, 2); }

at::Tensor joinHeads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvOptions& options) {
  if (needsFloat(x))
    return conv2d(x.to(at::kFloat), weight.to(at::kFloat), bias.defined() ? bias.to(at::kFloat) : bias, options).to(x.scalar_type());
  const std::int64_t padding = options.padding < 0 ? weight.size(-1) / 2 : options.padding;
  return at::conv2d(x, weight, optional(bias), at::IntArrayRef{options.stride, options.stride}, at::IntArrayRef{padding, padding});
}

MeantForGpu::MeantForGpu(bool gpu) : before_(std::exchange(forGpu, gpu)) {}
MeantForGpu::~MeantForGpu() { forGpu = before_; }

bool meansGpu() { return forGpu; }

}  // namespace quantspot::model
