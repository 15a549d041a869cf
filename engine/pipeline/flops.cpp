#include "engine/pipeline/flops.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <utility>

namespace quantspot::pipeline {
namespace {

// Whoever counts on this thread; the callback of torch is a plain function.
thread_local FlopCounter* current = nullptr;

class CountedLinear final : public quant::Linear {
 public:
  CountedLinear(std::unique_ptr<quant::Linear> layer, std::shared_ptr<FlopCounter> counter) : layer_(std::move(layer)), counter_(std::move(counter)) {}

  at::Tensor forward(const at::Tensor& x) const override {
    counter_->addLinear(2 * x.numel() * outFeatures());   // rows · in · out
    // Convolutions of one pixel are layers, too, and may be computed as what they were: counted once.
    struct Restore { FlopCounter* outer; ~Restore() { current = outer; } } restore{std::exchange(current, nullptr)};
    return layer_->forward(x);
  }
  std::string_view precision() const override { return layer_->precision(); }
  std::int64_t bytes() const override { return layer_->bytes(); }
  std::int64_t inFeatures() const override { return layer_->inFeatures(); }
  std::int64_t outFeatures() const override { return layer_->outFeatures(); }

 private:
  std::unique_ptr<quant::Linear> layer_;
  std::shared_ptr<FlopCounter> counter_;
};

// q (…, L, D), k (…, S, D), v (…, S, E): q·kᵀ and its product with v.
std::int64_t attentionOperations(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const std::int64_t scores = q.numel() / q.size(-1) * k.size(-2);
  return 2 * scores * (q.size(-1) + v.size(-1));
}

// weight (out, in / groups, kh, kw); the size of what comes out as convolutions define it.
std::int64_t convolutionOperations(const at::Tensor& x, const at::Tensor& weight, at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation) {
  std::int64_t places = x.size(0);
  for (std::int64_t axis = 2; axis < x.dim(); ++axis) {
    const auto at = [&](at::IntArrayRef values) { return values[values.size() == 1 ? 0 : static_cast<std::size_t>(axis - 2)]; };
    places *= (x.size(axis) + 2 * at(padding) - at(dilation) * (weight.size(axis) - 1) - 1) / at(stride) + 1;
  }
  return 2 * places * weight.numel();
}

std::unique_ptr<at::ObserverContext> observe(const at::RecordFunction& function) {
  if (!current) return nullptr;
  const std::string_view name = function.name();
  const auto inputs = function.inputs();
  if (name == "aten::scaled_dot_product_attention") current->addAttention(attentionOperations(inputs[0].toTensor(), inputs[1].toTensor(), inputs[2].toTensor()));
  if (name == "aten::convolution")
    current->addConvolution(convolutionOperations(inputs[0].toTensor(), inputs[1].toTensor(), inputs[3].toIntVector(), inputs[4].toIntVector(), inputs[5].toIntVector()));
  return nullptr;
}

}  // namespace

std::unique_ptr<quant::Linear> FlopCounter::around(std::unique_ptr<quant::Linear> layer) {
  return std::make_unique<CountedLinear>(std::move(layer), shared_from_this());
}

nlohmann::json FlopCounter::counts() const {
  return {{"linear", linear_.load()}, {"attention", attention_.load()}, {"convolution", convolution_.load()}, {"total", linear_ + attention_ + convolution_}};
}

FlopCounter::Scope::Scope(FlopCounter* counter) : counter_(counter) {
  if (!counter_) return;
  current = counter_;
  counter_->counting_ = true;
  handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(observe).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
}

FlopCounter::Scope::~Scope() {
  if (!counter_) return;
  at::removeCallback(handle_);
  counter_->counting_ = false;
  current = nullptr;
}

}  // namespace quantspot::pipeline
