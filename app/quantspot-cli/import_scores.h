// What pictures made elsewhere are scored with: all that an evaluation of our own takes by itself, by the weights that are there.
#pragma once

#include "engine/service/service.h"
#include "evaluation/figures.h"
#include "evaluation/metric_choice.h"
#include "evaluation/set_scoring.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::cli {

class ImportScores {
 public:
  // model: whose small CLIP stands in for what was not downloaded. width, height: of the smallest picture.
  ImportScores(service::Service& service, std::string model, int width, int height);

  // By the id of each metric, null where it could not be taken. Pictures as base64 PNG; reference: "" of the baseline itself; prompt: none is known.
  nlohmann::json picture(const std::string& png, const std::string& reference, const std::optional<std::string>& prompt);
  // For distances of sets: `row` numbers prompts and seeds.
  void keep(const std::string& precision, std::size_t row, const std::string& png);
  // Of the rows that every precision has, against the first precision's. Below six rows there is nothing.
  evaluation::SetReport sets(const std::vector<std::string>& precisions);

  const evaluation::Labels& labels() const { return labels_; }

 private:
  using Rows = std::vector<std::vector<float>>;
  std::vector<Rows> commonRows(const evaluation::Metric& metric, const std::vector<std::string>& precisions) const;

  service::Service& service_;
  std::string model_;
  evaluation::MetricChoice choice_;
  evaluation::Labels labels_;
  // Hash of the network's weights → precision → row → features.
  std::map<std::string, std::map<std::string, std::map<std::size_t, std::vector<float>>>> features_;
};

}  // namespace quantspot::cli
