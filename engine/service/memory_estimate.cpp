#include "engine/service/memory_estimate.h"

#include "engine/pipeline/memory.h"
#include "engine/pipeline/memory_model.h"
#include "engine/service/models.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <stdexcept>

namespace quantspot::service {
namespace {

// What a picture computes with, once and small: what libraries read in and build when they first multiply, convolve and attend (16 MiB and more)
// is the process's own from then on, and would be missing from what it holds before its first picture.
void wakeLibraries() {
  const at::NoGradGuard without;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const auto ones = [&](at::IntArrayRef shape) { return at::ones(shape, at::dtype(type)); };
    const at::Tensor rows = at::silu(at::linear(ones({128, 128}), ones({128, 128}), ones({128})));
    at::scaled_dot_product_attention(rows.view({1, 2, 64, 128}), rows.view({1, 2, 64, 128}), rows.view({1, 2, 64, 128}));
    const at::Tensor picture = at::group_norm(at::conv2d(ones({1, 32, 32, 32}), ones({32, 32, 3, 3}), ones({32}), 1, 1), 8);
    at::conv2d(at::upsample_nearest2d(picture, {64, 64}), ones({3, 32, 1, 1}));
  }
}

protocol::PhaseBytes bytes(const pipeline::PhaseMemory& phase) { return {phase.weights, phase.activations, phase.reserve}; }

protocol::PlacementBytes placement(const char* name, const pipeline::PlacementMemory& need) {
  return {name, bytes(need.encode), bytes(need.denoise), bytes(need.decode)};
}

}  // namespace

std::int64_t processFloor() {
  static const std::int64_t floor = [] {
    wakeLibraries();
    return pipeline::residentBytes();
  }();
  return floor;
}

protocol::EstimateResult estimateMemory(const protocol::EstimateParams& params, const Control& control) {
  if (params.precisions.empty()) throw std::invalid_argument("memory/estimate: no precision is named");
  if (params.batch < 1 || params.batch > 256) throw std::invalid_argument("memory/estimate: batch is 1 to 256");
  const std::int64_t floor = processFloor();
  const auto model = resolveModel(params.model);
  protocol::EstimateResult result;
  for (std::size_t i = 0; i < params.precisions.size(); ++i) {
    if (control.cancel && *control.cancel) throw pipeline::Cancelled();
    if (control.progress) control.progress("estimate", static_cast<int>(i), static_cast<int>(params.precisions.size()));
    protocol::EstimateEntry& entry = result.entries.emplace_back(protocol::EstimateEntry{params.precisions[i], {}, {}});
    try {
      const pipeline::MemoryModel need = pipeline::memoryModel(model, entry.precision, params.recipe, static_cast<std::size_t>(params.batch), params.gpu);
      entry.placements = {placement("together", need.together), placement("model", need.inTurn), placement("group", need.group), placement("sequential", need.sequential)};
    } catch (const std::invalid_argument& error) {
      if (params.precisions.size() == 1) throw;
      entry.error = error.what();
    }
  }
  result.process_bytes = floor;
  return result;
}

}  // namespace quantspot::service
