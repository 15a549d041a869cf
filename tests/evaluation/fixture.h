// A plan, and cells as an engine would have drawn them.
#pragma once

#include "evaluation/metric_choice.h"
#include "evaluation/plan.h"
#include "evaluation/store.h"

namespace quantspot::evaluation::test {

inline PlanRequest request(std::size_t prompts = 3, std::size_t seeds = 2) {
  PlanRequest request{"weights", {{"steps", 2}, {"width", 64}, {"height", 64}}, nlohmann::json::object(), {"set", {}}, {}, {"bf16", "bnb-nf4"}};
  for (std::size_t i = 0; i < prompts; ++i) request.prompts.prompts.push_back({"prompt " + std::to_string(i), i % 2 == 0 ? "even" : "odd", ""});
  for (std::size_t i = 0; i < seeds; ++i) request.seeds.push_back(i);
  return request;
}

inline Drawn drawn(const Cell& cell, double factor = 1) {
  Drawn made;
  made.report = {{"image_sha256", "pixels of " + cell.key}, {"batch", 1}, {"floor_bytes", 100}, {"peak_bytes", {{"load", 150}, {"denoise", 100 + 1000 * factor}}},
                 {"weights", {{"transformer", {{"bytes", 800 * factor}, {"layers", nlohmann::json::array({"a layer"})}}}}},
                 {"seconds", {{"encode", 0.5}, {"steps", {1.0 * factor, 2.0 * factor}}, {"decode", 0.5}, {"total", 6.0 * factor}}}};
  made.png = {1, 2, 3, static_cast<std::uint8_t>(cell.prompt), static_cast<std::uint8_t>(cell.seed), static_cast<std::uint8_t>(cell.precision)};
  return made;
}

inline Metric metric(const std::string& id, const std::string& kind, const std::string& weights = {}) {
  Metric metric;
  metric.id = metric.gives = metric.label = metric.metric = id;
  metric.kind = kind, metric.weights_sha256 = weights;
  return metric;
}

// CLIP and PSNR, no sets.
inline MetricChoice choice() { return {{metric("clip", "prompt", "by"), metric("psnr", "pair")}, {}, {}}; }

}  // namespace quantspot::evaluation::test
