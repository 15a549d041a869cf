#include "app/quantspot-cli/set_scores.h"

#include "app/quantspot-cli/pictures.h"

#include <ATen/ATen.h>

#include <set>
#include <utility>
#include <vector>

namespace quantspot::cli {
namespace {

using nlohmann::json;

// Prompts and seeds that every precision has drawn, so that all sets show the same.
std::vector<std::pair<std::size_t, std::size_t>> complete(const evaluation::Plan& plan, const evaluation::Store& store) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t prompt = 0; prompt < plan.request().prompts.prompts.size(); ++prompt)
    for (std::size_t seed = 0; seed < plan.request().seeds.size(); ++seed) {
      bool all = true;
      for (std::size_t precision = 0; precision < plan.request().precisions.size() && all; ++precision)
        all = store.report(plan.cell(prompt, seed, precision).key).has_value();
      if (all) found.emplace_back(prompt, seed);
    }
  return found;
}

}  // namespace

json addSetScores(const evaluation::Plan& plan, const evaluation::Store& store, const std::filesystem::path& real, evaluation::SetFigures& sets) {
  const auto cells = complete(plan, store);
  if (cells.size() < evaluation::kFewest) return {};
  const auto network = service::networkFor("fid", {}, {});
  const auto& precisions = plan.request().precisions;
  const auto features = [&](std::size_t precision) {
    std::vector<at::Tensor> rows;
    for (const auto& [prompt, seed] : cells) rows.push_back(network->features(metrics::decodeImage(store.png(plan.cell(prompt, seed, precision).key))));
    return at::cat(rows);
  };
  const service::FeatureSet reference = real.empty() ? service::FeatureSet{features(0), {}} : featureSet(*network, real);
  std::set<std::string> warnings;
  for (std::size_t i = real.empty() ? 1 : 0; i < precisions.size(); ++i) {
    const service::FeatureSet set{features(i), {}};
    for (const char* metric : {"fid", "kid"}) {
      // Statistics alone know no pairs; and KID's kernel, made for Inception's long vectors, sees next to nothing in unit vectors.
      if (metric == std::string_view("kid") && (!reference.rows.defined() || network->kind() != "inception")) continue;
      const service::SetScore score = service::scoreSets(metric, network->kind(), set, reference);
      sets[precisions[i]][score.metric] = {score.value, static_cast<std::size_t>(score.n), score.ci95};
      warnings.insert(score.warnings.begin(), score.warnings.end());
    }
  }
  return {{"against", real.empty() ? precisions.front() : real.string()}, {"network", network->kind()}, {"network_sha256", network->sha256()}, {"warnings", warnings}};
}

}  // namespace quantspot::cli
