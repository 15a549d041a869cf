#include "engine/service/metric_catalog.h"

#include "engine/hub/download.h"
#include "engine/hub/listing.h"
#include "engine/hub/settings.h"
#include "engine/hub/url_fetch.h"
#include "engine/model/safetensors.h"
#include "metrics/torch_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

// Called from several threads, one at a time; told once per MiB.
std::function<void(std::uint64_t, std::uint64_t)> telling(const Control& control) {
  return [&control, told = ~std::uint64_t{0}](std::uint64_t bytes, std::uint64_t total) mutable {
    if (control.progress && bytes >> 20 != std::exchange(told, bytes >> 20))
      control.progress("download", static_cast<int>(bytes >> 20), static_cast<int>((std::max(total, bytes) >> 20) + 1));
  };
}

// What a CLIPModel is read from; the weights once, as safetensors where the repository has them.
std::vector<std::string> clipFiles(const hub::HubSettings& settings, const hub::RepoName& repo, const Control& control) {
  const hub::Listing listing = hub::listFiles({.settings = settings, .cancel = control.cancel}, repo);
  const auto has = [&](std::string_view name) { return std::ranges::any_of(listing.files,
                                                                           [&](const hub::RemoteFile& file) { return file.path == name; }); };
  std::vector<std::string> files;
  for (const char* name : {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt",
                           "special_tokens_map.json"})
    if (has(name)) files.emplace_back(name);
  for (const char* name : {"model.safetensors", "pytorch_model.bin"})
    if (has(name)) {
      files.emplace_back(name);
      return files;
    }
  throw hub::HubError(repo.repo + " has neither model.safetensors nor pytorch_model.bin");
}

void downloadClip(const MetricEntry& entry, const fs::path& folder, const Control& control) {
  const hub::HubSettings settings = hub::settingsFromEnvironment();
  const hub::RepoName repo{.repo = std::string(entry.repo)};
  const std::vector<std::string> files = clipFiles(settings, repo, control);
  hub::DownloadOptions options{.repo = repo, .include = files, .cancel = control.cancel};
  options.progress = [tell = telling(control)](const hub::DownloadProgress& p) mutable { tell(p.bytes, p.total); };
  const fs::path snapshot = hub::download(settings, options).snapshot;
  for (const std::string& name : files) {
    if (name == "pytorch_model.bin") {
      const auto tensors = metrics::readTorchFile(snapshot / name);
      model::saveSafeTensors(folder / "model.safetensors", {tensors.begin(), tensors.end()});
      continue;
    }
    fs::remove(folder / name);
    fs::create_symlink(fs::absolute(snapshot / name), folder / name);
  }
}

std::string names() {
  std::string all;
  for (const MetricEntry& entry : metricCatalog()) all += (all.empty() ? "" : ", ") + std::string(entry.name);
  return all;
}

}  // namespace

const std::vector<MetricEntry>& metricCatalog() {
  static const std::vector<MetricEntry> entries = {
      {"inception", "FID, KID", "", "Apache-2.0", 91.2,
       {{"weights-inception-2015-12-05-6726825d.pth",
         "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth", "6726825d"}}},
      {"inception-torchscript", "FID, KID, as clean-fid loads it", "", "NVIDIA (non-commercial)", 91.5,
       {{"inception-2015-12-05.pt", "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt", ""}}},
      {"lpips-alex", "LPIPS", "", "BSD-3-Clause (trunk), BSD-2-Clause", 233,
       {{"alexnet-owt-7be5be79.pth", "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79"},
        {"lpips-alex.pth", "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/alex.pth", ""}}},
      {"lpips-vgg", "LPIPS", "", "BSD-3-Clause (trunk), BSD-2-Clause", 528,
       {{"vgg16-397923af.pth", "https://download.pytorch.org/models/vgg16-397923af.pth", "397923af"},
        {"lpips-vgg.pth", "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/vgg.pth", ""}}},
      {"lpips-squeeze", "LPIPS", "", "BSD-3-Clause (trunk), BSD-2-Clause", 4.8,
       {{"squeezenet1_1-b8a52dc0.pth", "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth", "b8a52dc0"},
        {"lpips-squeeze.pth", "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/squeeze.pth", ""}}},
      {"dists", "DISTS", "", "BSD-3-Clause (trunk), MIT", 528,
       {{"vgg16-397923af.pth", "https://download.pytorch.org/models/vgg16-397923af.pth", "397923af"},
        {"dists_weights.pt", "https://github.com/photosynthesis-team/piq/releases/download/v0.4.1/dists_weights.pt", ""}}},
      {"clip-vit-large-patch14", "CLIP score", "openai/clip-vit-large-patch14", "MIT", 1631, {}},
      {"clip-vit-base-patch32", "CLIP score", "openai/clip-vit-base-patch32", "MIT", 577, {}},
      {"clip-vit-large-patch14-336", "CMMD, CLIP score", "openai/clip-vit-large-patch14-336", "MIT", 1633, {}},
  };
  return entries;
}

const MetricEntry* findMetric(std::string_view name) {
  const auto found = std::ranges::find(metricCatalog(), name, &MetricEntry::name);
  return found == metricCatalog().end() ? nullptr : &*found;
}

fs::path metricsFolder() {
  if (const std::string given = hub::environment("QUANTSPOT_METRICS"); !given.empty()) return given;
  if (const std::string data = hub::environment("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "quantspot/metrics";
  return fs::path(hub::environment("HOME")) / ".local/share/quantspot/metrics";
}

std::vector<fs::path> installedMetric(std::string_view name) {
  const MetricEntry* entry = findMetric(name);
  if (entry == nullptr) return {};
  const fs::path folder = metricsFolder() / entry->name;
  std::error_code error;
  if (!entry->repo.empty())
    return fs::exists(folder / "config.json", error) && fs::exists(folder / "model.safetensors", error) ? std::vector{folder}
        : std::vector<fs::path>{};
  std::vector<fs::path> files;
  for (const MetricFile& file : entry->files) {
    if (!fs::is_regular_file(folder / file.name, error)) return {};
    files.push_back(folder / file.name);
  }
  return files;
}

protocol::MetricsListResult listMetrics() {
  protocol::MetricsListResult result{metricsFolder().string(), {}};
  for (const MetricEntry& entry : metricCatalog()) {
    std::vector<std::string> sources;
    if (!entry.repo.empty()) sources.emplace_back(entry.repo);
    for (const MetricFile& file : entry.files) sources.emplace_back(file.url);
    result.metrics.push_back({std::string(entry.name), std::string(entry.what), std::string(entry.license), std::move(sources),
                              static_cast<std::int64_t>(entry.mebibytes * 1024 * 1024), !installedMetric(entry.name).empty()});
  }
  return result;
}

fs::path downloadMetric(const std::string& name, const Control& control) {
  const MetricEntry* entry = findMetric(name);
  if (entry == nullptr) throw std::invalid_argument("'" + name + "' is not known; there are " + names());
  const fs::path folder = metricsFolder() / entry->name;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw hub::HubError(folder.string() + " cannot be made: " + error.message());
  if (!entry->repo.empty()) downloadClip(*entry, folder, control);
  for (const MetricFile& file : entry->files)
    hub::fetchUrl({.url = std::string(file.url), .path = folder / file.name, .sha256 = std::string(file.sha256), .progress = telling(control),
                   .cancel = control.cancel});
  return folder;
}

}  // namespace quantspot::service
