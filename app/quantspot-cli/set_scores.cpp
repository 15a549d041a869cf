#include "app/quantspot-cli/set_scores.h"

#include "app/quantspot-cli/pictures.h"

#include <ATen/ATen.h>

#include <set>

namespace quantspot::cli {
namespace {

using nlohmann::json;

// Of the cells that every precision has, so that all sets show the same prompts and seeds.
std::vector<at::Tensor> featuresOf(const evaluation::Plan& plan, const evaluation::Store& store, const service::FeatureNetwork& network) {
  std::vector<std::vector<at::Tensor>> rows(plan.request().precisions.size());
  for (std::size_t prompt = 0; prompt < plan.request().prompts.prompts.size(); ++prompt)
    for (std::size_t seed = 0; seed < plan.request().seeds.size(); ++seed) {
      const auto drawn = [&](std::size_t precision) { return store.report(plan.cell(prompt, seed, precision).key).has_value(); };
      bool all = true;
      for (std::size_t precision = 0; precision < rows.size() && all; ++precision) all = drawn(precision);
      for (std::size_t precision = 0; precision < rows.size() && all; ++precision)
        rows[precision].push_back(network.features(metrics::decodeImage(store.png(plan.cell(prompt, seed, precision).key))));
    }
  std::vector<at::Tensor> sets;
  for (const auto& set : rows) sets.push_back(set.empty() ? at::Tensor() : at::cat(set));
  return sets;
}

}  // namespace

json addSetScores(const evaluation::Plan& plan, const evaluation::Store& store, const std::filesystem::path& real, evaluation::SetFigures& sets) {
  const auto network = service::networkFor("fid", {}, {});
  const std::vector<at::Tensor> features = featuresOf(plan, store, *network);
  const auto& precisions = plan.request().precisions;
  if (!features.front().defined() || features.front().size(0) < static_cast<std::int64_t>(evaluation::kFewest)) return {};
  const service::FeatureSet reference = real.empty() ? service::FeatureSet{features.front(), {}} : featureSet(*network, real);
  std::set<std::string> warnings;
  for (std::size_t i = real.empty() ? 1 : 0; i < precisions.size(); ++i)
    for (const char* metric : {"fid", "kid"}) {
      // Statistics alone know no pairs; and KID's kernel, made for Inception's long vectors, sees next to nothing in unit vectors.
      if (metric == std::string_view("kid") && (!reference.rows.defined() || network->kind() != "inception")) continue;
      const service::SetScore score = service::scoreSets(metric, network->kind(), {features[i], {}}, reference);
      sets[precisions[i]][score.metric] = {score.value, static_cast<std::size_t>(score.n), score.ci95};
      warnings.insert(score.warnings.begin(), score.warnings.end());
    }
  return {{"against", real.empty() ? precisions.front() : real.string()}, {"network", network->kind()}, {"network_sha256", network->sha256()}, {"warnings", warnings}};
}

}  // namespace quantspot::cli
