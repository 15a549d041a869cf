#include "app/quantspot-cli/import_scores.h"

#include "engine/service/metric_offer.h"
#include "evaluation/bootstrap.h"

#include <algorithm>
#include <set>
#include <utility>

namespace quantspot::cli {
namespace {

using nlohmann::json;

protocol::ScoreParams paramsOf(const evaluation::Metric& metric, const std::string& model) {
  protocol::ScoreParams params{metric.metric};
  params.model = model, params.clip = metric.clip;
  if (!metric.net.empty()) params.net = metric.net;
  return params;
}

}  // namespace

ImportScores::ImportScores(service::Service& service, std::string model, int width, int height)
    : service_(service), model_(std::move(model)),
      choice_(evaluation::chooseMetrics(service::offeredMetrics({model_}).metrics, {}, width, height)), labels_(evaluation::labelsOf(choice_)) {}

json ImportScores::picture(const std::string& png, const std::string& reference, const std::optional<std::string>& prompt) {
  json found = json::object();
  for (const evaluation::Metric& metric : choice_.cells) {
    const bool ofPair = metric.kind == "pair";
    if (ofPair ? reference.empty() : !prompt) continue;
    protocol::ScoreParams params = paramsOf(metric, model_);
    params.image = png, params.reference = ofPair ? reference : "", params.prompt = prompt.value_or("");
    try {
      found[metric.id] = json(service_.score(params))["value"];
    } catch (const std::exception&) {
      found[metric.id] = nullptr;        // too small for the metric
    }
  }
  return found;
}

void ImportScores::keep(const std::string& precision, std::size_t row, const std::string& png) {
  if (choice_.sets.empty()) return;
  protocol::ScoreParams params = paramsOf(choice_.sets.front(), model_);   // all of them look through the same network
  params.images = {png}, params.return_features = true;
  auto rows = service_.score(params).features;
  if (!rows.empty()) features_[precision][row] = std::move(rows.front());
}

// By precision, in one order; empty: too few.
std::vector<ImportScores::Rows> ImportScores::commonRows(const std::vector<std::string>& precisions) const {
  std::vector<Rows> all(precisions.size());
  const auto first = features_.find(precisions.front());
  if (first == features_.end()) return {};
  for (const auto& [row, features] : first->second) {
    const auto lacks = [&](const std::string& precision) { return !features_.contains(precision) || !features_.at(precision).contains(row); };
    if (std::ranges::any_of(precisions, lacks)) continue;
    for (std::size_t v = 0; v < precisions.size(); ++v) all[v].push_back(features_.at(precisions[v]).at(row));
  }
  return all.front().size() < evaluation::kFewest ? std::vector<Rows>() : all;
}

evaluation::SetFigures ImportScores::sets(const std::vector<std::string>& precisions, json& told) {
  evaluation::SetFigures figures;
  const std::vector<Rows> rows = commonRows(precisions);
  if (rows.empty()) return figures;
  std::set<std::string> warnings;
  told = {{"against", precisions.front()}, {"n", rows.front().size()}, {"network", choice_.sets.front().needs.empty() ? "inception" : "clip-tiny"},
          {"network_sha256", choice_.sets.front().weights_sha256}, {"paired", true}, {"published", json::object()}};
  for (const evaluation::Metric& metric : choice_.sets)
    for (std::size_t v = 1; v < precisions.size(); ++v) {
      protocol::ScoreParams params = paramsOf(metric, model_);
      params.image_features = rows[v], params.reference_features = rows.front(), params.paired = true;
      const protocol::ScoreResult score = service_.score(params);
      evaluation::Estimate& estimate = figures[precisions[v]][metric.gives] = {score.value, static_cast<std::size_t>(score.n), std::nullopt};
      if (score.ci95) estimate.ci95 = evaluation::Interval{(*score.ci95)[0], (*score.ci95)[1]};
      if (score.published) told["published"][precisions[v]][metric.gives] = *score.published;
      warnings.insert(score.warnings.begin(), score.warnings.end());
    }
  told["warnings"] = warnings;
  return figures;
}

}  // namespace quantspot::cli
