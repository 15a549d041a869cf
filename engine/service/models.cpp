#include "engine/service/models.h"

#include "engine/hub/cache.h"
#include "engine/hub/download.h"
#include "engine/model/folder.h"
#include "engine/service/service.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::optional<protocol::ModelEntry> entryOf(const fs::path& folder, const std::string& name) try {
  const model::ModelSummary found = model::inspectFolder(folder);
  return protocol::ModelEntry{name, folder.string(), found.family, found.bytes, found.missing};
} catch (const std::exception&) {
  return {};
}

std::vector<fs::path> subfolders(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code unreadable;
  for (fs::directory_iterator it(folder, unreadable), end; !unreadable && it != end; it.increment(unreadable)) {
    std::error_code dangling;
    if (it->is_directory(dangling)) all.push_back(it->path());
  }
  std::ranges::sort(all);
  return all;
}

std::string nameOf(const hub::CachedSnapshot& snapshot) {
  return snapshot.revision == "main" ? snapshot.repo : snapshot.repo + "@" + snapshot.revision;
}

std::string knownNames() {
  std::string known;
  for (const protocol::ModelEntry& entry : listModels().models) known += (known.empty() ? "" : ", ") + entry.name;
  return known;
}

// The folder of a pipeline in what the user named: a repository's folder in a hub's cache holds several.
fs::path existing(const fs::path& path) {
  if (path.extension() == ".gguf" && fs::is_regular_file(path))
    throw model::ModelError(path.string() + " is a transformer alone; name the folder of a pipeline that lends the other parts with --parts");
  if (!fs::is_directory(path / "snapshots") || fs::exists(path / "model_index.json")) return path;
  const auto snapshots = hub::Cache::snapshotsOf(path);
  if (snapshots.empty()) throw model::ModelError(path.string() + ": this folder of a hub's cache holds no snapshot; download the model again");
  return snapshots.front().path;
}

}  // namespace

fs::path defaultModel() {
  if (const std::string given = environment("QUANTSPOT_DEFAULT_MODEL"); !given.empty()) return given;
  std::error_code unreadable;
  const fs::path installed = fs::read_symlink("/proc/self/exe", unreadable).parent_path() / "../share/quantspot/default_model";
  if (fs::exists(installed / "model_index.json", unreadable)) return fs::weakly_canonical(installed);
  return QUANTSPOT_SOURCE_MODEL;
}

std::vector<fs::path> modelFolders() {
  std::vector<fs::path> folders;
  std::istringstream given(environment("QUANTSPOT_MODELS"));
  for (std::string folder; std::getline(given, folder, ':');)
    if (!folder.empty()) folders.emplace_back(folder);
  const std::string data = environment("XDG_DATA_HOME"), home = environment("HOME");
  if (!data.empty()) folders.push_back(fs::path(data) / "quantspot/models");
  else if (!home.empty()) folders.push_back(fs::path(home) / ".local/share/quantspot/models");
  return folders;
}

fs::path resolveModel(const std::string& name) {
  if (name == "default" || name.empty()) return defaultModel();
  std::error_code error;
  const fs::file_status status = fs::status(name, error);
  if (error == std::errc::too_many_symbolic_link_levels) throw model::ModelError(name + ": its symbolic links lead in a circle");
  if (fs::exists(status)) return existing(name);
  for (const protocol::ModelEntry& entry : listModels().models)
    if (entry.name == name) return entry.path;
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
    for (const fs::path& model : subfolders(folder)) add(model, model.filename().string());
  }
  for (const hub::CachedSnapshot& snapshot : hub::Cache(hub::settingsFromEnvironment().cache).snapshots()) add(snapshot.path, nameOf(snapshot));
  return result;
}

protocol::DownloadResult downloadModel(const protocol::DownloadParams& params, const Control& control) {
  const auto repo = hub::parseRepo(params.repo + "@" + params.revision);
  if (!repo) throw std::invalid_argument("'" + params.repo + "' at revision '" + params.revision + "' is no repository's name; write owner/name, and a branch, tag or commit");
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
