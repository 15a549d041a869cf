#include "engine/service/memory_estimate.h"

#include "engine/pipeline/memory.h"
#include "engine/pipeline/memory_model.h"
#include "engine/service/models.h"

#include <stdexcept>

namespace quantspot::service {
namespace {

protocol::PhaseBytes bytes(const pipeline::PhaseMemory& phase) { return {phase.weights, phase.activations, phase.reserve}; }

protocol::PlacementBytes placement(const char* name, const pipeline::PlacementMemory& need) {
  return {name, bytes(need.encode), bytes(need.denoise), bytes(need.decode)};
}

}  // namespace

protocol::EstimateResult estimateMemory(const protocol::EstimateParams& params, const Control& control) {
  if (params.precisions.empty()) throw std::invalid_argument("memory/estimate: no precision is named");
  if (params.batch < 1 || params.batch > 256) throw std::invalid_argument("memory/estimate: batch is 1 to 256");
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
  result.process_bytes = pipeline::residentBytes();
  return result;
}

}  // namespace quantspot::service
