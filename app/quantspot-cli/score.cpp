#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/model/weights.h"
#include "engine/service/models.h"
#include "engine/service/scorer.h"
#include "metrics/mean_interval.h"
#include "metrics/psnr.h"
#include "metrics/ssim.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

metrics::Image readImage(const fs::path& path) try {
  return metrics::decodeImage(readFile(path));
} catch (const std::invalid_argument& error) {
  throw std::runtime_error(path.string() + ": " + error.what());
}

std::vector<fs::path> picturesIn(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw std::runtime_error(folder.string() + " is not a folder");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  if (found.empty()) throw std::runtime_error(folder.string() + " holds no picture (PNG, JPEG)");
  return found;
}

std::vector<std::pair<fs::path, fs::path>> pairs(const ScoreOptions& options) {
  if (!fs::is_directory(options.a)) return {{options.a, options.b}};
  std::vector<std::pair<fs::path, fs::path>> all;
  for (const fs::path& a : picturesIn(options.a)) all.emplace_back(a, options.b / a.filename());
  return all;
}

// Of the weight file itself, as sha256sum prints it; of all shards one after another.
std::string weightsHash(const fs::path& folder) {
  model::Sha256 hash;
  for (const fs::path& path : model::weightFiles(folder)) {
    const model::MappedFile file(path);
    hash.add(file.bytes().data(), file.bytes().size());
  }
  return hash.hex();
}

double finiteOr(double value, double fallback) { return std::isfinite(value) ? value : fallback; }

void print(const std::string& metric, const std::vector<double>& values, const json& weights, double floor) {
  const metrics::MeanInterval mean = metrics::meanInterval(values);
  json out = {{"metric", metric}, {"n", values.size()}, {"weights_sha256", weights}, {"ci95", nullptr}};
  out["value"] = std::isfinite(mean.mean) ? json(std::max(floor, mean.mean)) : json(nullptr);
  if (mean.known) out["ci95"] = {finiteOr(mean.low, 0), finiteOr(mean.high, 0)};
  printJson(out);
}

int scorePairs(const ScoreOptions& options) {
  if (options.a.empty() || options.b.empty()) throw std::invalid_argument("score --metric " + options.metric + " needs --a and --b");
  std::vector<double> values;
  for (const auto& [a, b] : pairs(options)) {
    const metrics::Image image = readImage(a), reference = readImage(b);
    try {
      values.push_back(options.metric == "psnr" ? metrics::psnr(image, reference) : metrics::ssim(image, reference));
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error(fmt::format("{} and {}: {}", a.string(), b.string(), error.what()));
    }
  }
  print(options.metric, values, nullptr, -1);
  return 0;
}

int scoreClip(const ScoreOptions& options) {
  if (options.images.empty() || options.prompts.empty()) throw std::invalid_argument("score --metric clip needs --images and --prompts");
  const fs::path folder = options.clip.empty() ? service::clipFolderOf(service::defaultModel()) : options.clip;
  const auto pictures = picturesIn(options.images);
  const auto prompts = readLines(options.prompts);
  if (prompts.size() != pictures.size())
    throw std::runtime_error(fmt::format("{} pictures in {}, but {} prompts in {}: line i belongs to the i-th name in sorted order",
                                         pictures.size(), options.images.string(), prompts.size(), options.prompts.string()));
  const service::ClipScorer scorer(folder);
  std::vector<double> values;
  for (std::size_t i = 0; i < pictures.size(); ++i) values.push_back(scorer.score(readImage(pictures[i]), prompts[i]));
  print("clip", values, weightsHash(folder), 0);
  return 0;
}

}  // namespace

int score(const ScoreOptions& options) { return options.metric == "clip" ? scoreClip(options) : scorePairs(options); }

}  // namespace quantspot::cli
