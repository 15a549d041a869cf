#include "engine/service/scorer.h"

#include "engine/hub/cache.h"
#include "engine/model/folder.h"
#include "engine/model/weights.h"
#include "engine/protocol/base64.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/metric_weights.h"
#include "engine/service/models.h"
#include "metrics/dists.h"
#include "metrics/gmsd.h"
#include "metrics/lpips.h"
#include "metrics/psnr.h"
#include "metrics/ssim.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMetrics = {
    MetricInfo{"clip", "CLIP", ScoreKind::Prompt}, MetricInfo{"clip-image", "CLIP-image", ScoreKind::Pair},
        MetricInfo{"psnr", "PSNR", ScoreKind::Pair},
    MetricInfo{"ssim", "SSIM", ScoreKind::Pair},   MetricInfo{"ms-ssim", "MS-SSIM", ScoreKind::Pair},
              MetricInfo{"gmsd", "GMSD", ScoreKind::Pair},
    MetricInfo{"lpips", "LPIPS", ScoreKind::Pair}, MetricInfo{"dists", "DISTS", ScoreKind::Pair},           MetricInfo{"fid", "FID", ScoreKind::Set},
    MetricInfo{"kid", "KID", ScoreKind::Set},      MetricInfo{"cmmd", "CMMD", ScoreKind::Set}};

metrics::Image imageOf(const std::string& base64, const std::string& which) try {
  return metrics::decodeImage(protocol::fromBase64(base64));
} catch (const std::invalid_argument& error) {
  throw std::invalid_argument(which + ": " + error.what());
}

// Files that were given, else downloaded; throws where there are none.
std::vector<fs::path> filesFor(const std::string& entry, const std::vector<fs::path>& given) {
  if (!given.empty()) return given;
  auto installed = installedMetric(entry);
  if (installed.empty())
    throw model::ModelError(fmt::format("the weights of {} are not here: `quantspot-cli metrics download {}` fetches them, or name the files",
                                        entry, entry));
  return installed;
}

metrics::TrunkKind trunkOf(const std::string& net) {
  if (net == "alex") return metrics::TrunkKind::Alex;
  if (net == "vgg") return metrics::TrunkKind::Vgg;
  if (net == "squeeze") return metrics::TrunkKind::Squeeze;
  throw std::invalid_argument("net '" + net + "' is not known; use alex, vgg or squeeze");
}

template <class Metric, class... Options>
PairMetric learned(const std::string& label, const MetricWeights& weights, Options... options) {
  const auto metric = std::make_shared<const Metric>(options..., weights.source());
  return {label, weights.sha256(), [metric](metrics::ImageView image, metrics::ImageView reference) {
            const c10::InferenceMode inference;
            return (*metric)(image, reference);
          }};
}

std::string keyOf(const ScoreWeights& weights) {
  std::string key = weights.clip.string() + "\n" + weights.net;
  for (const fs::path& file : weights.files) key += "\n" + file.string();
  return key;
}

ScoreWeights weightsOf(const protocol::ScoreParams& params) {
  return {params.clip.empty() ? fs::path() : clipFolder(params.clip, {}), {params.weights.begin(), params.weights.end()}, params.net};
}

at::Tensor tableOf(const std::vector<std::vector<float>>& rows, const char* which) {
  at::Tensor table = at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.empty() ? 0 : rows[0].size())}, at::kFloat);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size())
      throw std::invalid_argument(fmt::format("{}: row {} has {} numbers, row 1 has {}", which, i + 1, rows[i].size(), rows[0].size()));
    std::ranges::copy(rows[i], table.mutable_data_ptr<float>() + i * rows[0].size());
  }
  return table;
}

at::Tensor featuresOf(const FeatureNetwork& network, const std::vector<std::string>& pictures, const char* which) {
  std::vector<at::Tensor> rows;
  for (std::size_t i = 0; i < pictures.size(); ++i) rows.push_back(network.features(imageOf(pictures[i], fmt::format("{} {}", which, i + 1))));
  return rows.empty() ? at::Tensor() : at::cat(rows);
}

std::vector<std::vector<float>> rowsOf(const at::Tensor& table) {
  std::vector<std::vector<float>> rows;
  const at::Tensor plain = table.to(at::kFloat).contiguous();
  for (std::int64_t i = 0; i < plain.size(0); ++i) {
    const float* row = plain.const_data_ptr<float>() + i * plain.size(1);
    rows.emplace_back(row, row + plain.size(1));
  }
  return rows;
}

}  // namespace

std::span<const MetricInfo> scoreMetrics() { return kMetrics; }

const MetricInfo& metricInfo(const std::string& id) {
  const auto found = std::ranges::find(kMetrics, id, &MetricInfo::id);
  if (found != kMetrics.end()) return *found;
  std::string all;
  for (const MetricInfo& info : kMetrics) all += (all.empty() ? "" : ", ") + std::string(info.id);
  throw std::invalid_argument("metric '" + id + "' is not known; there are " + all);
}

fs::path clipFolder(const std::string& name, const fs::path& model) {
  if (name.empty()) return clipFolderOf(model);
  std::error_code error;
  if (fs::exists(fs::path(name) / "config.json", error)) return name;
  if (const auto installed = installedMetric(name); !installed.empty()) return installed.front();
  if (findMetric(name) != nullptr) throw model::ModelError(fmt::format("{} is not here: `quantspot-cli metrics download {}` fetches it", name, name));
  if (const auto repo = hub::parseRepo(name); repo && !fs::exists(name, error))
    return hub::Cache(hub::settingsFromEnvironment().cache).snapshot(*repo);
  throw model::ModelError(name + " is no folder of a CLIPModel: it has no config.json");
}

PairMetric pairMetric(const std::string& metric, const ScoreWeights& weights) {
  if (metric == "psnr") return {"PSNR", "", metrics::psnr};
  if (metric == "ssim") return {"SSIM", "", metrics::ssim};
  if (metric == "ms-ssim") return {"MS-SSIM", "", metrics::msSsim};
  if (metric == "gmsd") return {"GMSD", "", metrics::gmsd};
  if (metric == "lpips") {
    const metrics::TrunkKind kind = trunkOf(weights.net);
    return learned<metrics::Lpips>("LPIPS (" + weights.net + ")", MetricWeights(filesFor("lpips-" + weights.net, weights.files)), kind);
  }
  if (metric == "dists") return learned<metrics::Dists>("DISTS", MetricWeights(filesFor("dists", weights.files)));
  if (metric == "clip-image") {
    const fs::path folder = weights.clip.empty() ? clipFolderOf(defaultModel()) : weights.clip;
    const auto scorer = std::make_shared<const ClipScorer>(folder);
    return {isEmbeddedClip(folder) ? "CLIP-tiny-image" : "CLIP-image", filesHash(model::weightFiles(folder)),
            [scorer](metrics::ImageView image, metrics::ImageView reference) { return scorer->similarity(image, reference); }};
  }
  throw std::invalid_argument("metric '" + metric + "' does not compare two pictures");
}

protocol::ScoreResult Scorer::scorePrompt(const protocol::ScoreParams& params) {
  const fs::path folder = clipFolder(params.clip, resolveModel(params.model));
  if (!clip_ || clipKey_ != folder) {
    clip_.reset();
    clip_ = std::make_unique<ClipScorer>(folder);
    clipKey_ = folder;
  }
  const double cosine = clip_->score(imageOf(params.image, "image"), params.prompt);
  return {"clip", isEmbeddedClip(folder) ? "CLIP-tiny" : "CLIP", std::max(0.0, cosine)};
}

protocol::ScoreResult Scorer::scorePair(const protocol::ScoreParams& params) {
  const metrics::Image image = imageOf(params.image, "image"), reference = imageOf(params.reference, "reference");
  const ScoreWeights weights = weightsOf(params);
  const std::string key = params.metric + "\n" + keyOf(weights);
  auto pair = pairs_.find(key);
  if (pair == pairs_.end()) pair = pairs_.emplace(key, pairMetric(params.metric, weights)).first;
  protocol::ScoreResult result{params.metric, pair->second.label, pair->second.score(image, reference)};
  result.weights_sha256 = pair->second.sha256;
  return result;
}

protocol::ScoreResult Scorer::scoreSet(const protocol::ScoreParams& params) {
  const ScoreWeights weights = weightsOf(params);
  if (const std::string key = (params.metric == "cmmd" ? "cmmd\n" : "fid\n") + keyOf(weights); !network_ || networkKey_ != key) {
    network_.reset();
    network_ = networkFor(params.metric, weights.files, weights.clip);
    networkKey_ = key;
  }
  const at::Tensor a = params.image_features.empty() ? featuresOf(*network_, params.images, "picture")
      : tableOf(params.image_features, "image_features");
  const at::Tensor b = params.reference_features.empty() ? featuresOf(*network_, params.references, "reference")
      : tableOf(params.reference_features, "reference_features");
  protocol::ScoreResult result;
  const FeatureSet reference = params.reference_file.empty() ? FeatureSet{b, {}}
      : readFeatureSet("reference_file", protocol::fromBase64(params.reference_file));
  if (a.defined() && (reference.rows.defined() || reference.statistics)) {
    const SetScore score = scoreSets(params.metric, network_->kind(), {a, {}}, reference, params.paired);
    result = {score.metric, score.label, score.value};
    result.n = score.n;
    if (score.ci95) result.ci95 = {score.ci95->low, score.ci95->high};
    result.published = score.published;
    result.warnings = score.warnings;
  } else if (!params.return_features) {
    throw std::invalid_argument(params.metric + " needs \"images\" and \"references\" (pictures), or their features");
  } else {
    result = {params.metric, network_->kind(), std::numeric_limits<double>::quiet_NaN()};
    result.n = a.defined() ? a.size(0) : 0;
  }
  result.weights_sha256 = network_->sha256();
  if (params.return_features && a.defined()) result.features = rowsOf(a);
  return result;
}

protocol::ScoreResult Scorer::score(const protocol::ScoreParams& params) {
  switch (metricInfo(params.metric).kind) {
    case ScoreKind::Prompt: return scorePrompt(params);
    case ScoreKind::Pair: return scorePair(params);
    case ScoreKind::Set: break;
  }
  return scoreSet(params);
}

}  // namespace quantspot::service
