#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/pictures.h"
#include "engine/model/safetensors.h"
#include "engine/model/weights.h"
#include "engine/service/metric_weights.h"
#include "engine/service/models.h"
#include "engine/service/scorer.h"
#include "evaluation/bootstrap.h"
#include "evaluation/latent_error.h"

#include <spdlog/fmt/fmt.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// One picture, or those of a folder.
std::vector<fs::path> pictures(const fs::path& path) { return fs::is_directory(path) ? picturesIn(path) : std::vector{path}; }

// The picture of the same name beside another one.
fs::path partner(const fs::path& picture, const fs::path& other) { return fs::is_directory(other) ? other / picture.filename() : other; }

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }
json interval(const std::optional<evaluation::Interval>& ci95) { return ci95 ? json({ci95->low, ci95->high}) : json(nullptr); }

json estimateOf(const evaluation::Estimate& estimate) {
  return {{"value", number(estimate.value)}, {"ci95", interval(estimate.ci95)}, {"n", estimate.n}};
}

// values: one per picture; baseline: of the same pictures at another precision, or none.
int print(const std::string& metric, const std::string& label, const std::string& hash, const std::vector<double>& values,
          const std::vector<double>& baseline, std::vector<std::string> warnings = {}) {
  json out = estimateOf(evaluation::bootstrapMean(values));
  out["metric"] = metric, out["label"] = label;
  const auto endless = std::ranges::count_if(values, [](double value) { return std::isinf(value); });
  if (endless > 0)
    warnings.push_back(fmt::format("{} of {} pairs are the same picture twice: their {} is infinite, and so is the mean", endless, values.size(),
        label));
  if (!warnings.empty()) out["warnings"] = warnings;
  out["weights_sha256"] = hash.empty() ? json(nullptr) : json(hash);
  if (!baseline.empty()) {
    out["baseline"] = evaluation::bootstrapMean(baseline).value;
    out["difference"] = estimateOf(evaluation::bootstrapPairedDifference(values, baseline));
    out["change"] = estimateOf(evaluation::bootstrapPairedChange(values, baseline));
  }
  printJson(out);
  return 0;
}

std::vector<double> pairScores(const service::PairMetric& metric, const std::vector<fs::path>& all, const fs::path& folder,
                               const fs::path& references) {
  std::vector<double> values;
  for (const fs::path& name : all) {
    const fs::path a = partner(name, folder), b = partner(name, references);
    const metrics::Image image = readImage(a), reference = readImage(b);
    try {
      values.push_back(metric.score(image, reference));
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error(fmt::format("{} and {}: {}", a.string(), b.string(), error.what()));
    }
  }
  return values;
}

// What is said of pictures in a folder that nothing is compared with.
std::vector<std::string> leftOut(const std::vector<fs::path>& scored, const std::vector<fs::path>& folders) {
  std::set<fs::path> names;
  for (const fs::path& picture : scored) names.insert(picture.filename());
  std::vector<std::string> said;
  for (const fs::path& folder : folders) {
    if (!fs::is_directory(folder)) continue;
    const auto there = picturesIn(folder);
    const auto alone = std::ranges::count_if(there, [&](const fs::path& picture) { return !names.contains(picture.filename()); });
    if (alone > 0) said.push_back(fmt::format("{} of {} pictures in {} are left out: none of the scored ones has their name", alone, there.size(), folder.string()));
  }
  return said;
}

service::ScoreWeights weightsOf(const ScoreOptions& o) {
  return {o.clip.empty() ? fs::path() : service::clipFolder(o.clip, {}), {o.weights.begin(), o.weights.end()}, o.net};
}

int scorePairs(const ScoreOptions& o) {
  if (o.a.empty() || o.b.empty()) throw std::invalid_argument("score --metric " + o.metric + " needs --a and --b");
  for (const fs::path& other : {fs::path(o.b), o.baseline.empty() ? fs::path(o.b) : fs::path(o.baseline)})
    if (fs::is_directory(o.a) != fs::is_directory(other))
      throw std::invalid_argument(fmt::format("{} and {}: pairs are two pictures or two folders with the same names", fs::path(o.a).string(),
          other.string()));
  const auto metric = service::pairMetric(o.metric, weightsOf(o));
  const auto all = pictures(o.a);
  const auto values = pairScores(metric, all, o.a, o.b);
  return print(o.metric, metric.label, metric.sha256, values, o.baseline.empty() ? std::vector<double>() : pairScores(metric, all, o.baseline, o.b),
               leftOut(all, {o.b, o.baseline}));
}

int scoreClip(const ScoreOptions& o) {
  if (o.images.empty() || o.prompts.empty()) throw std::invalid_argument("score --metric clip needs --images and --prompts");
  const fs::path folder = service::clipFolder(o.clip, service::defaultModel());
  const auto all = picturesIn(o.images);
  const auto prompts = readLines(o.prompts);
  if (prompts.size() != all.size())
    throw std::runtime_error(fmt::format("{} pictures in {}, but {} prompts in {}: line i belongs to the i-th name in sorted order", all.size(),
                                         o.images.string(),
                                         prompts.size(), o.prompts.string()));
  const service::ClipScorer scorer(folder);
  const auto scores = [&](const fs::path& from) {   // not below 0, as torchmetrics' CLIPScore
    std::vector<double> values;
    for (std::size_t i = 0; i < all.size(); ++i) values.push_back(std::max(0.0, scorer.score(readImage(partner(all[i], from)), prompts[i])));
    return values;
  };
  return print("clip", service::isEmbeddedClip(folder) ? "CLIP-tiny" : "CLIP", service::filesHash(model::weightFiles(folder)), scores(o.images),
               o.baseline.empty() ? std::vector<double>() : scores(o.baseline), leftOut(all, {o.baseline}));
}

// Pictures of two folders are drawn of the same prompts and seeds if they have the same names.
void checkNames(const fs::path& a, const fs::path& b) {
  if (!fs::is_directory(a) || !fs::is_directory(b)) throw std::invalid_argument("--paired needs two folders with the same names");
  const auto mine = picturesIn(a), theirs = picturesIn(b);
  const auto same = [](const fs::path& x, const fs::path& y) { return x.filename() == y.filename(); };
  if (const auto [x, y] = std::ranges::mismatch(mine, theirs, same); x != mine.end() || y != theirs.end())
    throw std::invalid_argument(fmt::format("--paired needs two folders with the same names; {} has no partner",
                                            (x != mine.end() ? *x : *y).string()));
}

int scoreSet(const ScoreOptions& o) {
  if (o.a.empty() || o.b.empty()) throw std::invalid_argument("score --metric " + o.metric + " needs --a and --b");
  const service::ScoreWeights weights = weightsOf(o);
  const auto network = service::networkFor(o.metric, weights.files, weights.clip);
  if (o.paired) checkNames(o.a, o.b);
  const service::FeatureSet a = featureSet(*network, o.a), b = featureSet(*network, o.b);
  if (!o.saveStatistics.empty()) metrics::writeStatistics(o.saveStatistics, a.statistics ? *a.statistics : metrics::statisticsOf(a.rows));
  const service::SetScore score = service::scoreSets(o.metric, network->kind(), a, b, o.paired);
  json out = {{"metric", score.metric}, {"label", score.label}, {"value", number(score.value)}, {"ci95", interval(score.ci95)}, {"n", score.n},
              {"n_reference", score.reference}, {"weights_sha256", network->sha256()}, {"warnings", score.warnings}};
  if (score.published) out["published"] = *score.published;
  printJson(out);
  return 0;
}

// The latents of each tensor that both files have under one name: "latents" as --latents-out writes it, or one per step.
int scoreLatents(const ScoreOptions& o) {
  if (o.a.empty() || o.b.empty()) throw std::invalid_argument("score --metric latent needs --a and --b, files of --latents-out");
  const model::SafeTensors a(o.a), b(o.b);
  json out = {{"metric", "latent"}, {"ci95", nullptr}, {"n", 1}, {"weights_sha256", nullptr}, {"tensors", json::array()}};
  for (const auto& [name, entry] : a.entries()) {
    const auto other = b.entries().find(name);
    if (other == b.entries().end()) throw std::runtime_error(fmt::format("{} has no tensor '{}', which {} has", o.b.string(), name, o.a.string()));
    if (other->second.shape != entry.shape)
      throw std::runtime_error(fmt::format("'{}' has another shape in {} than in {}", name, o.a.string(), o.b.string()));
    const at::Tensor x = a.copy(entry).to(at::kFloat).contiguous(), y = b.copy(other->second).to(at::kFloat).contiguous();
    const auto values = [](const at::Tensor& t) { return std::span(t.const_data_ptr<float>(), static_cast<std::size_t>(t.numel())); };
    const auto error = evaluation::latentError(values(x), values(y));
    out["tensors"].push_back({{"name", name}, {"relative", number(error.relative)}, {"cosine", number(error.cosine)}});
  }
  if (out["tensors"].empty()) throw std::runtime_error(o.a.string() + " holds no tensor");
  out["value"] = out["tensors"].back()["relative"];
  out["cosine"] = out["tensors"].back()["cosine"];
  printJson(out);
  return 0;
}

}  // namespace

int score(const ScoreOptions& options) {
  if (options.paired && (options.metric == "latent" || service::metricInfo(options.metric).kind != service::ScoreKind::Set))
    throw std::invalid_argument("--paired is of fid, kid and cmmd; the other metrics compare pairs as they are");
  if (options.metric == "latent") return scoreLatents(options);
  switch (service::metricInfo(options.metric).kind) {
    case service::ScoreKind::Prompt: return scoreClip(options);
    case service::ScoreKind::Pair: return scorePairs(options);
    case service::ScoreKind::Set: break;
  }
  return scoreSet(options);
}

}  // namespace quantspot::cli
