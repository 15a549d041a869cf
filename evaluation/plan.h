// What an evaluation draws: prompts × seeds × precisions. Every cell has a name made of what decides about its picture, so that a
// finished one is found again by any program, run or host.
#pragma once

#include "evaluation/prompt_set.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace quantspot::evaluation {

inline constexpr int kEvaluationVersion = 1;   // raised when the engine's pictures or reports change their meaning

struct Cell {
  std::size_t prompt = 0, seed = 0, precision = 0;   // indices into the plan
  std::string key;                                   // SHA-256, 64 digits
  std::string image;                                 // "bnb-nf4/0003-seed7.png", in the evaluation's folder
};

struct PlanRequest {
  std::string weights;                               // SHA-256 of the model's weights
  nlohmann::json recipe;                             // as the engine takes it; prompt and seed are set for each cell
  nlohmann::json extras = nlohmann::json::object();  // what else shapes the pictures: LoRA files by hash, calibration, offload, picture
  PromptSet prompts;
  std::vector<std::uint64_t> seeds;
  std::vector<std::string> precisions;               // policies; the first is the baseline
};

class Plan {
 public:
  // Throws std::invalid_argument when nothing is to be drawn, or two precisions or seeds are the same.
  explicit Plan(PlanRequest request);

  const PlanRequest& request() const { return request_; }
  // By prompt, then seed, then precision.
  const std::vector<Cell>& cells() const { return cells_; }
  const Cell& cell(std::size_t prompt, std::size_t seed, std::size_t precision) const;
  // The baseline's first cell under a name of its own, for a second drawing of it. It is none of cells(), and its picture stays in the store:
  // beside the others it would be taken for one of the set.
  Cell repeat() const;
  nlohmann::json recipeOf(const Cell& cell) const;
  // Of everything that it draws: two runs with this name share a table.
  std::string key() const;

 private:
  PlanRequest request_;
  std::vector<Cell> cells_;
};

}  // namespace quantspot::evaluation
