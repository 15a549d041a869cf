#include "engine/service/models.h"

#include "engine/model/folder.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

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
  for (const auto& entry : fs::directory_iterator(folder, unreadable))
    if (entry.is_directory(unreadable)) all.push_back(entry.path());
  std::ranges::sort(all);
  return all;
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
  if (fs::path(name).extension() == ".gguf" && fs::is_regular_file(name))
    throw model::ModelError(name + " is a transformer alone; name the folder of a pipeline that lends the other parts with --parts");
  if (fs::exists(name)) return name;
  std::string known = "default";
  for (const protocol::ModelEntry& entry : listModels().models) {
    if (entry.name == name) return entry.path;
    if (entry.name != "default") known += ", " + entry.name;
  }
  throw model::ModelError("model '" + name + "' is neither a folder nor a known model; known: " + known);
}

protocol::ModelsListResult listModels() {
  protocol::ModelsListResult result;
  if (auto entry = entryOf(defaultModel(), "default")) result.models.push_back(std::move(*entry));
  for (const fs::path& folder : modelFolders())
    for (const fs::path& model : subfolders(folder))
      if (auto entry = entryOf(model, model.filename().string())) result.models.push_back(std::move(*entry));
  return result;
}

}  // namespace quantspot::service
