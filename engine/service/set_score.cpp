#include "engine/service/set_score.h"

#include "engine/model/folder.h"
#include "engine/model/weights.h"
#include "engine/service/clip_scorer.h"
#include "engine/service/metric_catalog.h"
#include "engine/service/metric_weights.h"
#include "engine/service/models.h"
#include "evaluation/distance_interval.h"
#include "metrics/inception.h"
#include "metrics/mmd.h"
#include "metrics/npz.h"
#include "metrics/pair_moments.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 1;
constexpr int kMmdResamples = 1000;
constexpr std::int64_t kMostForFidInterval = 4096;   // above, resampling takes hours

class InceptionNetwork : public FeatureNetwork {
 public:
  explicit InceptionNetwork(const MetricWeights& weights) : hash_(weights.sha256()), network_(weights.source()) {}
  at::Tensor features(metrics::ImageView image) const override {
    const c10::InferenceMode inference;
    return network_.features(metrics::inceptionPixels(image));
  }
  std::string kind() const override { return "inception"; }
  std::string sha256() const override { return hash_; }

 private:
  std::string hash_;
  metrics::Inception network_;
};

class ClipNetwork : public FeatureNetwork {
 public:
  explicit ClipNetwork(const fs::path& folder) : folder_(folder), scorer_(folder) {}
  at::Tensor features(metrics::ImageView image) const override { return scorer_.imageFeatures(image); }
  std::string kind() const override { return isEmbeddedClip(folder_) ? "clip-tiny" : scorer_.imageSize() == 336 ? "clip-336" : "clip"; }
  std::string sha256() const override { return filesHash(model::weightFiles(folder_)); }

 private:
  fs::path folder_;
  ClipScorer scorer_;
};

// (count, n + m). Paired: what is drawn of one set is drawn of the other.
at::Tensor draws(const SetScore& score, bool paired, int count) {
  const auto n = static_cast<std::size_t>(score.n), m = static_cast<std::size_t>(score.reference);
  const std::size_t groups[] = {n, m};
  evaluation::Resampler resampler(std::span(groups, paired ? 1 : 2), kSeed);
  at::Tensor weights = at::empty({count, score.n + score.reference}, at::kDouble);
  for (int i = 0; i < count; ++i) {
    double* row = weights.mutable_data_ptr<double>() + static_cast<std::size_t>(i) * (n + m);
    resampler.next({row, resampler.size()});
    if (paired) std::copy(row, row + n, row + n);
  }
  return weights;
}

bool enough(const SetScore& score) { return std::min(score.n, score.reference) >= static_cast<std::int64_t>(evaluation::kFewest); }

std::optional<evaluation::Interval> fidInterval(const SetScore& score, const at::Tensor& a, const at::Tensor& b, bool paired) {
  const auto all = metrics::frechetReplicates(a, b, draws(score, paired, std::min(score.n, score.reference) <= 512 ? 200 : 40));
  const double count = static_cast<double>(all.size()), mean = std::accumulate(all.begin(), all.end(), 0.0) / count;
  double squares = 0;
  for (const double one : all) squares += (one - mean) * (one - mean);
  const double half = 1.96 * std::sqrt(squares / (count - 1));
  return evaluation::Interval{std::max(0.0, score.value - half), score.value + half};
}

metrics::FeatureStatistics statisticsOf(const FeatureSet& set) { return set.statistics ? *set.statistics : metrics::statisticsOf(set.rows); }

void scoreFrechet(SetScore& score, const std::string& network, const FeatureSet& a, const FeatureSet& b, bool paired) {
  const auto sa = statisticsOf(a), sb = statisticsOf(b);
  score.n = sa.n;
  score.reference = sb.n;
  score.value = metrics::frechetDistance(sa, sb);
  const std::int64_t fewest = sa.n == 0 ? sb.n : sb.n == 0 ? sa.n : std::min(sa.n, sb.n);
  if (network == "inception" && fewest < metrics::kFewForFid)
    score.warnings.push_back(fmt::format("{} pictures: below {} FID is far too high by its own bias; compare only values of equally many pictures, or use KID",
                                         fewest, metrics::kFewForFid));
  if (!a.rows.defined() || !b.rows.defined()) score.warnings.emplace_back("no interval: a statistics file does not hold single pictures");
  else if (std::min(sa.n, sb.n) > kMostForFidInterval)
    score.warnings.push_back(fmt::format("no interval: it is computed up to {} pictures", kMostForFidInterval));
  else if (enough(score)) score.ci95 = fidInterval(score, a.rows, b.rows, paired);
}

void scoreMmd(SetScore& score, metrics::Kernel kernel, const std::string& network, const FeatureSet& a, const FeatureSet& b, bool paired) {
  if (!a.rows.defined() || !b.rows.defined())
    throw std::invalid_argument("KID and CMMD need single pictures or features, which a file of mu and sigma does not hold");
  score.n = a.rows.size(0);
  score.reference = b.rows.size(0);
  const metrics::Mmd mmd = metrics::mmd(kernel, a.rows, b.rows);
  score.value = mmd.unbiased;
  if (kernel == metrics::Kernel::Gaussian) score.published = mmd.biased;
  if (paired) {
    if (kernel == metrics::Kernel::Cubic) score.published = mmd.unbiased;
    const metrics::PairMoments pairs = metrics::pairMoments(kernel, a.rows, b.rows);
    score.value = pairs.value;
    if (enough(score)) score.ci95 = evaluation::squaredDistanceInterval(pairs.value, pairs.along, pairs.square, static_cast<std::size_t>(score.n));
    if (score.ci95 && score.ci95->low <= 0) score.warnings.emplace_back("the interval reaches 0: these pairs do not tell the two sets apart");
  } else if (enough(score)) {
    score.ci95 = evaluation::percentileInterval(metrics::mmdReplicates(kernel, a.rows, b.rows, draws(score, false, kMmdResamples)));
  }
  if (kernel == metrics::Kernel::Gaussian && network == "clip")
    score.warnings.emplace_back("CMMD was published with ViT-L/14 at 336 pixels: compare only values of this CLIP");
}

void name(SetScore& score, const std::string& metric, const std::string& network) {
  if (network == "clip-tiny")
    score.warnings.push_back(fmt::format("made with the small embedded CLIP: no {}; `quantspot-cli metrics download {}` fetches the real weights",
                                         metric == "fid" ? "FID" : metric == "kid" ? "KID" : "CMMD", metric == "cmmd"
                                             ? "clip-vit-large-patch14-336" : "inception"));
  if (metric == "cmmd") {
    score.metric = network == "clip-tiny" ? "cmmd-clip-tiny" : metric;
    score.label = network == "clip-tiny" ? "CMMD-CLIP-tiny" : "CMMD";
    return;
  }
  const bool fid = metric == "fid";
  score.metric = network == "inception" ? metric : network == "clip-tiny" ? (fid ? "fd-clip-tiny" : "kd-clip-tiny") : (fid ? "fd-clip" : "kd-clip");
  score.label = network == "inception" ? (fid ? "FID" : "KID") : network == "clip-tiny" ? (fid ? "FD-CLIP-tiny" : "KD-CLIP-tiny")
      : (fid ? "FD-CLIP" : "KD-CLIP");
}

}  // namespace

std::unique_ptr<FeatureNetwork> inceptionNetwork(const std::vector<fs::path>& files) { return std::make_unique<InceptionNetwork>(MetricWeights(files)); }
std::unique_ptr<FeatureNetwork> clipNetwork(const fs::path& folder) { return std::make_unique<ClipNetwork>(folder); }

std::unique_ptr<FeatureNetwork> networkFor(const std::string& metric, const std::vector<fs::path>& files, const fs::path& clip) {
  if (!clip.empty()) return clipNetwork(clip);
  if (metric == "cmmd") {
    if (!files.empty()) throw std::invalid_argument("CMMD takes a CLIPModel's folder, not weight files");
    const auto installed = installedMetric("clip-vit-large-patch14-336");
    return clipNetwork(installed.empty() ? clipFolderOf(defaultModel()) : installed.front());
  }
  if (!files.empty()) return inceptionNetwork(files);
  for (const char* entry : {"inception", "inception-torchscript"})
    if (const auto installed = installedMetric(entry); !installed.empty()) return inceptionNetwork(installed);
  return clipNetwork(clipFolderOf(defaultModel()));
}

FeatureSet readFeatureSet(const fs::path& path) { return readFeatureSet(path, metrics::readAll(path)); }

FeatureSet readFeatureSet(const fs::path& path, std::vector<std::uint8_t> file) {
  const auto arrays = metrics::readNpz(path, std::move(file));
  for (const char* name : {"feats", "features"})
    if (const auto found = arrays.find(name); found != arrays.end()) {
      if (found->second.dim() != 2) throw metrics::FileError(path, std::string(name) + " is no table of features");
      return {found->second.to(at::kDouble), {}};
    }
  return {{}, metrics::readStatistics(arrays, path)};
}

SetScore scoreSets(const std::string& metric, const std::string& network, const FeatureSet& a, const FeatureSet& b, bool paired) {
  SetScore score;
  name(score, metric, network);
  if (paired && !(a.rows.defined() && b.rows.defined() && a.rows.size(0) == b.rows.size(0)))
    throw std::invalid_argument("paired sets must have equally many pictures, each of both of one prompt and seed");
  if (metric == "fid") scoreFrechet(score, network, a, b, paired);
  else if (metric == "kid") scoreMmd(score, metrics::Kernel::Cubic, network, a, b, paired);
  else if (metric == "cmmd") scoreMmd(score, metrics::Kernel::Gaussian, network, a, b, paired);
  else throw std::invalid_argument("'" + metric + "' is no distance of sets; use fid, kid or cmmd");
  return score;
}

}  // namespace quantspot::service
