// What a precision needs where: the figures of the memory model (docs/memory-model.md), which the engine computes.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace quantspot::decision {

struct PhaseBytes {
  std::int64_t weights = 0, activations = 0, reserve = 0;
  std::int64_t total() const { return weights + activations + reserve; }
};

// Where the parts of a model are while it works, from the fastest to the smallest: all of them stay; they take turns; blocks of them; layers.
enum class Placement { Together, InTurn, Group, Sequential };
inline constexpr std::array kPlacements = {Placement::Together, Placement::InTurn, Placement::Group, Placement::Sequential};
std::string_view placementId(Placement placement);       // "together", "model", "group", "sequential": all but the first are names of --offload
std::string_view placementText(Placement placement);     // "all parts together"
bool isOffload(Placement placement);                     // weights travel in every step: group and sequential

struct PhaseNeed {
  PhaseBytes encode, denoise, decode;
  std::int64_t highest() const;          // phases follow one another
  const PhaseBytes& binding() const;     // the phase that is highest
  const char* bindingName() const;       // "encode", "denoise", "decode"
};

struct MemoryEstimate {
  std::string precision;
  std::array<PhaseNeed, 4> placements;   // in the order of kPlacements
  std::string error = {};                // why there is no estimate; empty: there is one
  const PhaseNeed& at(Placement placement) const { return placements[static_cast<std::size_t>(placement)]; }
};

// The result of memory/estimate.
std::vector<MemoryEstimate> memoryEstimates(const nlohmann::json& result);
nlohmann::json toJson(const PhaseBytes& bytes);
nlohmann::json toJson(const PhaseNeed& need);

// What a GPU holds besides weights and activations: the driver's context and the libraries' workspaces. An assumption; nothing here measured it.
inline constexpr std::int64_t kGpuReserve = std::int64_t{614} << 20;

}  // namespace quantspot::decision
