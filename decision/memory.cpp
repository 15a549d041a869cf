#include "decision/memory.h"

#include <algorithm>

namespace quantspot::decision {
namespace {

using nlohmann::json;

PhaseBytes bytesOf(const json& phase) {
  return {phase.at("weights").get<std::int64_t>(), phase.at("activations").get<std::int64_t>(), phase.at("reserve").get<std::int64_t>()};
}

}  // namespace

std::string_view placementId(Placement placement) {
  constexpr std::string_view ids[] = {"together", "model", "group", "sequential"};
  return ids[static_cast<std::size_t>(placement)];
}

std::string_view placementText(Placement placement) {
  constexpr std::string_view texts[] = {"all parts together", "its parts in turn", "block by block", "layer by layer"};
  return texts[static_cast<std::size_t>(placement)];
}

bool isOffload(Placement placement) { return placement == Placement::Group || placement == Placement::Sequential; }

std::int64_t PhaseNeed::highest() const { return binding().total(); }

const PhaseBytes& PhaseNeed::binding() const {
  return std::max({std::cref(denoise), std::cref(encode), std::cref(decode)}, [](const PhaseBytes& a, const PhaseBytes& b) { return a.total() < b.total(); });
}

const char* PhaseNeed::bindingName() const { return &binding() == &denoise ? "denoise" : &binding() == &encode ? "encode" : "decode"; }

std::vector<MemoryEstimate> memoryEstimates(const json& result) {
  std::vector<MemoryEstimate> all;
  for (const json& entry : result.at("entries")) {
    MemoryEstimate& made = all.emplace_back();
    made.precision = entry.at("precision").get<std::string>();
    made.error = entry.value("error", "");
    for (const Placement placement : kPlacements)
      for (const json& given : entry.value("placements", json::array()))
        if (given.at("name") == placementId(placement))
          made.placements[static_cast<std::size_t>(placement)] = {bytesOf(given.at("encode")), bytesOf(given.at("denoise")), bytesOf(given.at("decode"))};
  }
  return all;
}

json toJson(const PhaseBytes& bytes) { return {{"weights", bytes.weights}, {"activations", bytes.activations}, {"reserve", bytes.reserve}}; }

json toJson(const PhaseNeed& need) {
  return {{"encode", toJson(need.encode)}, {"denoise", toJson(need.denoise)}, {"decode", toJson(need.decode)}, {"highest", need.highest()}};
}

}  // namespace quantspot::decision
