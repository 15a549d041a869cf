#include "engine/pipeline/auto_precision.h"

#include "engine/pipeline/memory.h"
#include "engine/pipeline/memory_model.h"
#include "engine/protocol/quantity.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1 << 30;

std::int64_t availableBytes() {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("MemAvailable:")) return std::stoll(line.substr(13)) * 1024;
  throw std::runtime_error("the system does not say how much memory is free; give --max-memory");
}

}  // namespace

std::int64_t MemoryNeed::highest() const { return std::max({encode, denoise, decode}); }

const std::vector<std::string>& autoLadder() {
  static const std::vector<std::string> ladder = {"bf16", "bnb-int8", "gguf-q6_k", "gguf-q5_k", "bnb-nf4", "gguf-q3_k", "gguf-q2_k"};
  return ladder;
}

MemoryNeed memoryNeed(const fs::path& model, const std::string& policy, const protocol::Recipe& recipe, std::size_t batch) {
  const PlacementMemory need = memoryModel(model, policy, recipe, batch).inTurn;
  return {need.encode.total(), need.denoise.total(), need.decode.total()};
}

AutoChoice choosePrecision(const fs::path& model, const protocol::Recipe& recipe, std::size_t batch, std::int64_t limit, std::size_t from) {
  const std::int64_t own = residentBytes(), available = limit > 0 ? limit : availableBytes() + own;
  std::int64_t needs = 0;
  for (std::size_t i = from; i < autoLadder().size(); ++i) {
    needs = static_cast<std::int64_t>(1.1 * static_cast<double>(memoryNeed(model, autoLadder()[i], recipe, batch).highest())) + own;
    if (needs > available) continue;
    const std::string above = i == 0 ? "it is the highest" : autoLadder()[i - 1] + " does not";
    return {autoLadder()[i], fmt::format("{} needs up to {:.2f} GiB of {:.2f} GiB {}; {}", autoLadder()[i], static_cast<double>(needs) / kGiB,
                                         static_cast<double>(available) / kGiB, limit > 0 ? "allowed" : "free", above), available, needs};
  }
  throw std::runtime_error(fmt::format("no precision fits {:.2f} GiB: {} still needs {:.2f} GiB at {} × {}; allow more or draw a smaller picture",
                                       static_cast<double>(available) / kGiB, autoLadder().back(), static_cast<double>(needs) / kGiB,
                                       recipe.width, recipe.height));
}

std::int64_t parseBytes(const std::string& text) {
  static const std::pair<const char*, double> kUnits[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", kGiB}, {"TiB", 1024 * kGiB},
                                                          {"K", 1 << 10}, {"M", 1 << 20}, {"G", kGiB},
                                                          {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
  const auto size = protocol::parseQuantity(text);
  for (const auto& [name, factor] : kUnits)
    if (size && size->unit == name && size->value > 0) return static_cast<std::int64_t>(size->value * factor);
  throw std::invalid_argument(fmt::format("memory '{}' is no size; write 6GiB or 500MB", text));
}

}  // namespace quantspot::pipeline
