#include "decision/mix.h"

#include "decision/checks.h"
#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::decision {
namespace {

const MemoryEstimate& reference(const Question& question) {
  const auto found = std::ranges::find(question.options, "bf16", &Option::precision);
  if (found == question.options.end() || !found->memory.error.empty()) throw std::invalid_argument("a mix needs bf16 among the precisions");
  return found->memory;
}

}  // namespace

std::int64_t roomForMix(const Question& question, const std::string& low) {
  const PhaseBytes& need = reference(question).at(Placement::InTurn).denoise;
  const std::int64_t left = memoryLimit(question) - question.reserve;
  if (left >= need.total()) throw std::invalid_argument("bf16 fits as it is; there is nothing to mix");
  std::int64_t beside = need.activations + need.reserve;
  for (const Option& option : question.options)
    if (option.precision == low && option.memory.error.empty()) {
      const PhaseBytes& packed = option.memory.at(Placement::InTurn).denoise;
      beside = std::max(beside, packed.activations + packed.reserve);
    }
  const std::int64_t room = left - beside;
  if (room <= 0) throw std::invalid_argument(fmt::format("{} leave no room beside the activations; allow more memory", gib(memoryLimit(question))));
  return room;
}

Option mixOption(const Question& question, const std::string& policy, MemoryEstimate memory) {
  const auto weights = [](const MemoryEstimate& of) { return static_cast<double>(of.at(Placement::InTurn).denoise.weights); };
  const double whole = weights(reference(question));
  return {policy, whole > 0 ? 16 * weights(memory) / whole : 16, std::move(memory)};
}

}  // namespace quantspot::decision
