// What each phase of a picture needs: weights + activations + reserve, from shapes alone (docs/memory-model.md).
#pragma once

#include "engine/protocol/messages.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace quantspot::pipeline {

struct PhaseMemory {                     // bytes
  std::int64_t weights = 0;              // exact: what a layer of each shape packs to
  std::int64_t activations = 0;          // tensors that live at once, of a dry run, with the copies that products and convolutions make
  std::int64_t reserve = 0;              // what loading needs beyond that, and what libraries and allocator keep
  std::int64_t total() const { return weights + activations + reserve; }
};

struct PlacementMemory {
  PhaseMemory encode, denoise, decode;
  std::int64_t highest() const;          // phases follow one another
};

// Where weights are: all parts stay; parts take turns (offload none and model here); blocks; layers.
struct MemoryModel {
  PlacementMemory together, inTurn, group, sequential;
};

// Of `batch` pictures side by side. gpu: as on a GPU that multiplies in the compute type, which nothing here measured; else on this CPU.
// Only headers of the files are read. Throws ModelError as loading would, std::invalid_argument for a policy or size that does not fit.
MemoryModel memoryModel(const std::filesystem::path& model, const std::string& policy, const protocol::Recipe& recipe, std::size_t batch, bool gpu = false);

}  // namespace quantspot::pipeline
