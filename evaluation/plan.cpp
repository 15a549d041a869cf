#include "evaluation/plan.h"

#include "engine/model/sha256.h"
#include "evaluation/files.h"

#include <spdlog/fmt/fmt.h>

#include <set>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

// nlohmann orders keys, so equal contents are equal text.
std::string hashOf(const json& inputs) {
  const std::string text = inputs.dump(-1, ' ', true, json::error_handler_t::replace);
  return model::sha256Hex(text.data(), text.size());
}

}  // namespace

Plan::Plan(PlanRequest request) : request_(std::move(request)) {
  if (request_.prompts.prompts.empty() || request_.seeds.empty() || request_.precisions.empty())
    throw std::invalid_argument("an evaluation needs at least one prompt, one seed and one precision");
  std::set<std::string> names;
  for (const std::string& precision : request_.precisions)
    if (!names.insert(fileName(precision)).second) throw std::invalid_argument("the precision " + precision + " is named twice");
  std::set<std::uint64_t> seeds;
  for (const std::uint64_t seed : request_.seeds)
    if (!seeds.insert(seed).second) throw std::invalid_argument(fmt::format("the seed {} is named twice", seed));
  json inputs = {{"version", kEvaluationVersion}, {"weights", request_.weights}, {"extras", request_.extras}};
  for (std::size_t p = 0; p < request_.prompts.prompts.size(); ++p)
    for (std::size_t s = 0; s < request_.seeds.size(); ++s)
      for (std::size_t v = 0; v < request_.precisions.size(); ++v) {
        Cell cell{p, s, v, "", fmt::format("{}/{:04}-seed{}.png", fileName(request_.precisions[v]), p, request_.seeds[s])};
        inputs["precision"] = request_.precisions[v];
        inputs["recipe"] = recipeOf(cell);
        cell.key = hashOf(inputs);
        cells_.push_back(std::move(cell));
      }
}

const Cell& Plan::cell(std::size_t prompt, std::size_t seed, std::size_t precision) const {
  return cells_.at((prompt * request_.seeds.size() + seed) * request_.precisions.size() + precision);
}

Cell Plan::repeat() const {
  return {0, 0, 0, hashOf({{"again", cells_.front().key}}), ""};
}

json Plan::recipeOf(const Cell& cell) const {
  json recipe = request_.recipe;
  recipe["prompt"] = request_.prompts.prompts[cell.prompt].text;
  recipe["seed"] = request_.seeds[cell.seed];
  return recipe;
}

std::string Plan::key() const {
  json keys = json::array();
  for (const Cell& cell : cells_) keys.push_back(cell.key);
  return hashOf(keys);
}

}  // namespace quantspot::evaluation
