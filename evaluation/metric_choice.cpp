#include "evaluation/metric_choice.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

bool standsIn(const Metric& metric) { return metric.ready && !metric.needs.empty(); }

bool isDefault(const Metric& metric, int width, int height) {
  if (!metric.ready || metric.id == "clip-image" || (metric.id == "cmmd" && standsIn(metric))) return false;
  const int side = std::min(width, height);
  return side == 0 ? metric.id != "ms-ssim" : side >= metric.smallest;
}

const Metric& named(const std::vector<Metric>& offered, const std::string& name) {
  const auto found = std::ranges::find(offered, name == "lpips-alex" ? "lpips" : name, &Metric::id);
  if (found == offered.end()) {
    std::string all;
    for (const Metric& metric : offered) all += (all.empty() ? "" : ", ") + metric.id;
    throw std::invalid_argument(fmt::format("metric '{}' is not known; there are {}", name, all));
  }
  if (!found->ready)
    throw std::invalid_argument(fmt::format("the weights of {} are not here: `quantspot-cli metrics download {}` fetches them", found->label,
                                            found->needs));
  return *found;
}

void add(MetricChoice& choice, const Metric& metric) {
  std::vector<Metric>& list = metric.kind == "set" ? choice.sets : choice.cells;
  if (std::ranges::find(list, metric.id, &Metric::id) == list.end()) list.push_back(metric);
}

}  // namespace

MetricChoice chooseMetrics(const std::vector<Metric>& offered, const std::vector<std::string>& names, int width, int height) {
  MetricChoice choice;
  for (const std::string& name : names) named(offered, name);
  for (const Metric& metric : offered) {
    if (!figureInfo(metric.id)) continue;                        // of a newer engine
    const bool asked = std::ranges::any_of(names, [&](const std::string& name) { return named(offered, name).id == metric.id; });
    if (names.empty() ? isDefault(metric, width, height) : asked) add(choice, metric);
    if (!metric.needs.empty() && (names.empty() ? !metric.ready || isDefault(metric, width, height) : asked)) choice.lacking.push_back(metric);
  }
  return choice;
}

protocol::ScoreParams scoreParams(const Metric& metric, const std::string& model) {
  protocol::ScoreParams params{.metric = metric.metric, .model = model, .clip = metric.clip};
  if (!metric.net.empty()) params.net = metric.net;
  return params;
}

std::vector<std::string> namesOf(const MetricChoice& choice) {
  std::vector<std::string> names;
  for (const auto* list : {&choice.cells, &choice.sets})
    for (const Metric& metric : *list) names.push_back(metric.id);
  return names;
}

std::string lackingText(const MetricChoice& choice) {
  std::string text;
  std::vector<std::string> commands;
  for (const Metric& metric : choice.lacking) {
    text += text.empty() ? "" : ", ";
    const FigureInfo* info = figureInfo(metric.id);
    text += metric.ready && info ? fmt::format("{} stands in for {}", metric.label, info->label) : fmt::format("{} is not measured", metric.label);
    if (std::ranges::find(commands, metric.needs) == commands.end()) commands.push_back(metric.needs);
  }
  if (text.empty()) return "";
  return fmt::format("{}: `quantspot-cli metrics download NAME` fetches the weights of {}", text, fmt::join(commands, ", "));
}

Labels labelsOf(const MetricChoice& choice) {
  Labels labels;
  for (const Metric& metric : choice.cells)
    if (standsIn(metric)) labels[metric.id] = scoreLabel(metric.id, metric.label);
  return labels;
}

}  // namespace quantspot::evaluation
