#include "engine/service/models.h"

#include "engine/hub/cache.h"
#include "engine/hub/download.h"
#include "engine/hub/settings.h"
#include "engine/model/assembled.h"
#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/model/links.h"
#include "engine/model/single/contents.h"
#include "engine/service/service.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParts = "?parts=";

// A pipeline's folder or a single file; nothing for what is no model.
std::optional<protocol::ModelEntry> entryOf(const fs::path& path, const std::string& name) try {
  if (fs::is_regular_file(path)) {
    const model::FileSummary found = model::inspectFile(path);
    return protocol::ModelEntry{name, path.string(), found.family, found.bytes, found.missing};
  }
  const model::ModelSummary found = model::inspectFolder(path);
  return protocol::ModelEntry{name, path.string(), found.family, found.bytes, found.missing};
} catch (const std::exception&) {
  return {};
}

// Of a snapshot that begins as a pipeline, and whose model_index.json cannot be read: the reason.
std::optional<protocol::ModelEntry> damagedEntry(const fs::path& path, const std::string& name) try {
  const fs::path index = path / "model_index.json";
  std::error_code none;
  if (!fs::is_symlink(fs::symlink_status(index, none)) && !model::isThere(index)) return {};
  if (model::isThere(index)) model::readJson(index);
  return {};
} catch (const std::exception& error) {
  return protocol::ModelEntry{name, path.string(), {}, 0, {error.what()}};
}

bool isModelFile(const fs::path& path) { return path.extension() == ".safetensors" || path.extension() == ".gguf"; }

// Folders and single files.
std::vector<fs::path> candidates(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code unreadable;
  for (fs::directory_iterator it(folder, unreadable), end; !unreadable && it != end; it.increment(unreadable)) {
    std::error_code dangling;
    if (it->is_directory(dangling) || (isModelFile(it->path()) && it->is_regular_file(dangling))) all.push_back(it->path());
  }
  std::ranges::sort(all);
  return all;
}

std::string nameOf(const hub::CachedSnapshot& snapshot) {
  return snapshot.revision == "main" ? snapshot.repo : snapshot.repo + "@" + snapshot.revision;
}

// What the cache's folders lack, beside the parts that their models lack; a model that is whole needs no word.
void addProblems(const std::vector<hub::CacheProblem>& problems, std::vector<protocol::ModelEntry>& models) {
  for (const hub::CacheProblem& problem : problems) {
    const auto ofRepo = [&](const protocol::ModelEntry& entry) { return entry.path.starts_with(problem.path.string() + "/"); };
    if (std::ranges::none_of(models, ofRepo)) models.push_back({problem.repo, problem.path.string(), {}, 0, {}});
    for (protocol::ModelEntry& entry : models)
      if (entry.path == problem.path || (ofRepo(entry) && !entry.missing.empty())) entry.missing.push_back(problem.what);
  }
}

std::string knownNames() {
  std::string known;
  for (const protocol::ModelEntry& entry : listModels().models) known += (known.empty() ? "" : ", ") + entry.name;
  return known;
}

// Pipelines put together of single files stay as long as the process: their folders are asked for again and again.
fs::path assembled(const fs::path& file, const fs::path& parts) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<model::AssembledPipeline>> made;
  model::refusePickle(file);
  if (!isModelFile(file)) throw model::ModelError(file.string() + ": is no model; a folder, a .safetensors or a .gguf file is");
  const fs::path whole = fs::canonical(file);
  const std::string key = whole.string() + '\n' + parts.string() + '\n' + std::to_string(fs::last_write_time(whole).time_since_epoch().count());
  const std::lock_guard lock(mutex);
  auto& pipeline = made[key];
  if (!pipeline) pipeline = std::make_unique<model::AssembledPipeline>(file, parts);
  return pipeline->folder();
}

// The folder of a pipeline for what the user named: a single file, or a repository's folder in a hub's cache, which holds several.
fs::path existing(const fs::path& path, const std::string& parts) {
  if (fs::is_regular_file(path)) return assembled(path, parts.empty() ? fs::path() : resolveModel(parts));
  if (!parts.empty()) throw model::ModelError(path.string() + " is a folder with all its parts; --parts goes with a single file");
  if (!fs::is_directory(path / "snapshots") || fs::exists(path / "model_index.json")) return path;
  const auto snapshots = hub::Cache::snapshotsOf(path);
  if (snapshots.empty()) throw model::ModelError(path.string() + ": this folder of a hub's cache holds no snapshot; download the model again");
  return snapshots.front().path;
}

}  // namespace

fs::path defaultModel() {
  if (const std::string given = hub::environment("QUANTSPOT_DEFAULT_MODEL"); !given.empty()) return given;
  std::error_code unreadable;
  const fs::path installed = fs::read_symlink("/proc/self/exe", unreadable).parent_path() / "../share/quantspot/default_model";
  if (fs::exists(installed / "model_index.json", unreadable)) return fs::weakly_canonical(installed);
  return QUANTSPOT_SOURCE_MODEL;
}

std::vector<fs::path> modelFolders() {
  std::vector<fs::path> folders;
  std::istringstream given(hub::environment("QUANTSPOT_MODELS"));
  for (std::string folder; std::getline(given, folder, ':');)
    if (!folder.empty()) folders.emplace_back(folder);
  const std::string data = hub::environment("XDG_DATA_HOME"), home = hub::environment("HOME");
  if (!data.empty()) folders.push_back(fs::path(data) / "quantspot/models");
  else if (!home.empty()) folders.push_back(fs::path(home) / ".local/share/quantspot/models");
  return folders;
}

fs::path resolveModel(const std::string& given) {
  const std::size_t mark = given.rfind(kParts);
  const std::string name = given.substr(0, mark), parts = mark == given.npos ? "" : given.substr(mark + kParts.size());
  if (name == "default" || name.empty()) return defaultModel();
  std::error_code error;
  const fs::file_status status = fs::status(name, error);
  if (error == std::errc::too_many_symbolic_link_levels) throw model::ModelError(name + ": its symbolic links lead in a circle");
  if (fs::exists(status)) return existing(name, parts);
  for (const protocol::ModelEntry& entry : listModels().models)
    if (entry.name == name) return existing(entry.path, parts);
  if (const auto repo = hub::parseRepo(name)) return hub::Cache(hub::settingsFromEnvironment().cache).snapshot(*repo);
  throw model::ModelError("model '" + name + "' is neither a path nor a known model; known: " + knownNames());
}

protocol::ModelsListResult listModels(const std::vector<fs::path>& more) {
  protocol::ModelsListResult result;
  const auto add = [&](const fs::path& path, const std::string& name) {
    if (auto entry = entryOf(path, name)) result.models.push_back(std::move(*entry));
  };
  add(defaultModel(), "default");
  std::vector<fs::path> folders = more;
  const auto own = modelFolders();
  folders.insert(folders.end(), own.begin(), own.end());
  for (const fs::path& folder : folders) {
    add(folder, folder.lexically_normal().filename().string());
    for (const fs::path& model : candidates(folder)) add(model, model.filename().string());
  }
  const hub::Cache cache(hub::settingsFromEnvironment().cache);
  for (const hub::CachedSnapshot& snapshot : cache.snapshots()) {
    std::error_code dangling;
    if (auto damaged = damagedEntry(snapshot.path, nameOf(snapshot))) result.models.push_back(std::move(*damaged));
    else if (fs::exists(snapshot.path / "model_index.json", dangling)) add(snapshot.path, nameOf(snapshot));
    else
      for (const fs::path& file : candidates(snapshot.path))   // repositories of GGUF files
        if (fs::is_regular_file(file, dangling)) add(file, nameOf(snapshot) + "/" + file.filename().string());
  }
  addProblems(cache.problems(), result.models);
  return result;
}

protocol::DownloadResult downloadModel(const protocol::DownloadParams& params, const Control& control) {
  const auto repo = hub::parseRepo(params.repo + "@" + params.revision);
  if (!repo) throw std::invalid_argument("'" + params.repo + "' at revision '" + params.revision +
                                "' is no repository's name; write owner/name, and a branch, tag or commit");
  hub::DownloadOptions options{.repo = *repo, .include = params.include, .cancel = control.cancel};
  constexpr int kMiB = 20;
  std::uint64_t told = ~std::uint64_t{0};   // nothing yet
  options.progress = [&](const hub::DownloadProgress& progress) {
    if (!control.progress || progress.bytes >> kMiB == std::exchange(told, progress.bytes >> kMiB)) return;
    control.progress("download", static_cast<int>(told), static_cast<int>((progress.total >> kMiB) + 1));
  };
  const hub::DownloadResult done = hub::download(hub::settingsFromEnvironment(), options);
  return {repo->revision == "main" ? repo->repo : repo->repo + "@" + repo->revision, done.snapshot.string(), done.commit, done.license,
          static_cast<std::int64_t>(done.files), static_cast<std::int64_t>(done.bytes), static_cast<std::int64_t>(done.fetched)};
}

}  // namespace quantspot::service
