#include "app/quantspot-cli/import_scores.h"

#include "engine/service/metric_offer.h"
#include "evaluation/bootstrap.h"

#include <algorithm>
#include <utility>

namespace quantspot::cli {

using nlohmann::json;

ImportScores::ImportScores(service::Service& service, std::string model, int width, int height)
    : service_(service), model_(std::move(model)),
      choice_(evaluation::chooseMetrics(service::offeredMetrics({model_}).metrics, {}, width, height)), labels_(evaluation::labelsOf(choice_)) {}

json ImportScores::picture(const std::string& png, const std::string& reference, const std::optional<std::string>& prompt) {
  json found = json::object();
  for (const evaluation::Metric& metric : choice_.cells) {
    const bool ofPair = metric.kind == "pair";
    if (ofPair ? reference.empty() : !prompt) continue;
    protocol::ScoreParams params = evaluation::scoreParams(metric, model_);
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
  for (const evaluation::Metric& metric : choice_.sets) {
    std::vector<float>& features = features_[metric.weights_sha256][precision][row];
    if (!features.empty()) continue;     // another metric looks through the same network
    protocol::ScoreParams params = evaluation::scoreParams(metric, model_);
    params.images = {png}, params.return_features = true;
    features = service_.score(params).features.at(0);
  }
}

// By precision, in one order; empty: too few.
std::vector<ImportScores::Rows> ImportScores::commonRows(const evaluation::Metric& metric, const std::vector<std::string>& precisions) const {
  const auto& kept = features_.at(metric.weights_sha256);
  std::vector<Rows> all(precisions.size());
  for (const auto& [row, features] : kept.at(precisions.front())) {
    if (std::ranges::any_of(precisions, [&](const std::string& precision) { return !kept.at(precision).contains(row); })) continue;
    for (std::size_t v = 0; v < precisions.size(); ++v) all[v].push_back(kept.at(precisions[v]).at(row));
  }
  return all.front().size() < evaluation::kFewest ? std::vector<Rows>() : all;
}

evaluation::SetReport ImportScores::sets(const std::vector<std::string>& precisions) {
  evaluation::SetReport report;
  for (const evaluation::Metric& metric : choice_.sets) {
    const std::vector<Rows> rows = commonRows(metric, precisions);
    if (rows.empty()) return {};
    if (report.told.is_null()) report = evaluation::emptySetReport(precisions.front(), rows.front().size(), metric, true);
    for (std::size_t v = 1; v < precisions.size(); ++v) {
      protocol::ScoreParams params = evaluation::scoreParams(metric, model_);
      params.image_features = rows[v], params.reference_features = rows.front(), params.paired = true;
      evaluation::addDistance(report, precisions[v], metric, service_.score(params));
    }
  }
  return report;
}

}  // namespace quantspot::cli
