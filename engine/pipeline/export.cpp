#include "engine/pipeline/export.h"

#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_convert.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/companion.h"
#include "engine/pipeline/export_gguf.h"
#include "engine/pipeline/export_script.h"
#include "engine/pipeline/folder_copy.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/pipeline/recipe.h"
#include "engine/pipeline/report.h"
#include "engine/pipeline/whole_folder.h"
#include "engine/pipeline/written_bytes.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <optional>
#include <set>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool isGguf(const quant::Policy& policy) { return policy.precision.starts_with("gguf-"); }

void writeText(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error(path.string() + ": cannot be written");
}

std::string hashOf(const fs::path& path) {
  if (fs::file_size(path) == 0) return model::sha256Hex("", 0);
  const model::MappedFile file(path);
  return model::sha256Hex(file.bytes().data(), file.bytes().size());
}

// Of an earlier export: the files that its manifest names. Nothing when it has no manifest of ours.
std::optional<std::set<std::string>> exportedFiles(const fs::path& folder) {
  const json manifest = json::parse(std::ifstream(folder / "manifest.json"), nullptr, false);
  if (!manifest.is_object() || manifest.value("kind", json()) != "quantspot-export" || !manifest.value("files", json()).is_array()) return {};
  std::set<std::string> files = {"manifest.json"};
  for (const json& file : manifest["files"])
    if (file.is_object() && file.value("path", json()).is_string()) files.insert(file["path"].get<std::string>());
  return files;
}

// Only what an export wrote may go when another one takes its place.
void checkReplaceable(const fs::path& out) {
  if (!fs::is_directory(out)) throw std::invalid_argument(out.string() + " is no folder, so --force does not replace it");
  if (fs::is_empty(out)) return;
  const auto files = exportedFiles(out);
  if (!files)
    throw std::invalid_argument(out.string() + " is no earlier export (it has no manifest.json that says so), so --force does not replace it");
  std::set<std::string> others;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const std::string path = entry.path().lexically_relative(out).generic_string();
    if (!fs::is_directory(entry.symlink_status()) && !files->contains(path)) others.insert(path);
  }
  if (others.empty()) return;
  const std::string more = others.size() > 1 ? fmt::format(" and {} more", others.size() - 1) : "";
  throw std::invalid_argument(fmt::format("{} holds {}{}, which no export wrote: move it away, or choose another folder", out.string(),
                                          *others.begin(), more));
}

class Export {
 public:
  explicit Export(const ExportRequest& request)
      : request_(request), family_(model::familyOf(request.model)), denoiser_(family_.info().denoiser) {}

  void check() const;
  std::int64_t bytes() const;
  ExportResult write() const;

 private:
  quant::Policy onDisk() const { return packsAtStart(request_.policy) ? weightsBefore(request_.policy) : request_.policy; }
  void writeGguf(const fs::path& folder) const;
  void tell(const char* stage, std::size_t done, std::size_t all) const;
  std::string ggufName() const { return isGguf(request_.policy) ? denoiser_ + "-" + request_.policy.precision + ".gguf" : ""; }
  std::string judgedHash() const;
  ActivationScales scales() const;
  json manifest(const fs::path& folder, const std::string& script) const;

  const ExportRequest& request_;
  const model::Family& family_;
  const std::string denoiser_;
};

void Export::check() const {
  const model::ModelSummary summary = model::inspectFolder(request_.model);
  if (!summary.missing.empty()) throw model::ModelError(fmt::format("{} is not complete: {}", request_.model.string(), summary.missing.front()));
  checkRecipe(request_.recipe, family_.info());
  if (!isGguf(request_.policy)) checkCheckpoint(request_.model, onDisk());
  else if (!request_.policy.textEncoderRules().empty())
    throw std::invalid_argument("a GGUF file holds the " + denoiser_ + " alone; leave the rules for text encoders out");
  if (fs::exists(request_.out) && !request_.force)
    throw std::invalid_argument(request_.out.string() + " is already there; --force replaces an earlier export");
  if (fs::exists(request_.out)) checkReplaceable(request_.out);
}

std::int64_t Export::bytes() const {
  return checkpointBytes(request_.model, onDisk()) + (isGguf(request_.policy) && needsCompanion(request_.model) ? companionBytes(request_.model) : 0);
}

void Export::tell(const char* stage, std::size_t done, std::size_t all) const {
  if (request_.cancel && *request_.cancel) throw Cancelled();
  if (request_.progress) request_.progress(stage, static_cast<int>(done), static_cast<int>(all));
}

void Export::writeGguf(const fs::path& folder) const {
  model::convertToGguf(request_.model, request_.policy, folder / ggufName(), [&](std::size_t done, std::size_t all) { tell("load", done, all); });
  const fs::path pipeline = folder / "pipeline";
  fs::create_directories(pipeline / denoiser_);
  copyTop(request_.model, pipeline);
  fs::copy_file(request_.model / denoiser_ / "config.json", pipeline / denoiser_ / "config.json");
  const std::vector<std::string> parts = partsOf(request_.model);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    tell("copy", i, parts.size());
    if (parts[i] != denoiser_) copyPart(request_.model / parts[i], pipeline / parts[i]);
  }
  if (needsCompanion(request_.model)) writeCompanion(request_.model, folder / kCompanion);
}

// Of the picture that the recipe gave, where it was judged.
std::string Export::judgedHash() const {
  const auto key = [&](protocol::Recipe recipe) {
    recipe = completeRecipe(std::move(recipe), request_.model);
    recipe.guidance = guidanceOf(recipe, family_.info());
    recipe.scheduler = schedulerOf(recipe, request_.model);
    return recipe;
  };
  for (const JudgedImage& image : request_.images)
    if (!image.recipe.prompt.empty() && key(image.recipe) == key(request_.recipe)) return image.pixelHash;
  return "";
}

// Of the first judged picture that has them.
ActivationScales Export::scales() const {
  for (const JudgedImage& image : request_.images)
    if (image.scales.is_object()) return activationScales(image.scales);
  return {};
}

json Export::manifest(const fs::path& folder, const std::string& script) const {
  json files = json::array(), images = json::array();
  std::set<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) paths.insert(entry.path());
  for (const fs::path& path : paths) {
    tell("hash", files.size(), paths.size());
    files.push_back({{"path", path.lexically_relative(folder).generic_string()}, {"bytes", fs::file_size(path)}, {"sha256", hashOf(path)}});
  }
  tell("hash", files.size(), paths.size());
  for (const JudgedImage& image : request_.images)
    images.push_back({{"file", image.file}, {"file_sha256", image.fileHash}, {"image_sha256", image.pixelHash},
                      {"recipe", image.recipe.prompt.empty() ? json(nullptr) : json(image.recipe)}});
  json recipe = request_.recipe;
  recipe["guidance"] = guidanceOf(request_.recipe, family_.info());
  recipe["scheduler"] = schedulerOf(request_.recipe, request_.model);
  const model::ModelSummary model = model::inspectFolder(request_.model);
  return {{"schema", 1}, {"kind", "quantspot-export"}, {"engine", engineBlock("cpu")},
          {"model", {{"name", model.name}, {"family", model.family}, {"weights_sha256", HashCache().weightsHash(request_.model)}}},
          {"precision", request_.policy.precision}, {"policy", policyBlock(request_.policy)}, {"recipe", std::move(recipe)},
          {"gguf", ggufName().empty() ? json(nullptr) : json(ggufName())}, {"script", script}, {"images", std::move(images)},
          {"files", std::move(files)}};
}

ExportResult Export::write() const {
  WholeFolder folder(request_.out, request_.force);
  checkRoom(request_.out, bytes());
  const std::string script = runScript({request_.model, request_.policy, request_.recipe, judgedHash()});
  if (isGguf(request_.policy)) writeGguf(folder.path());
  else quantizeModel({request_.model, folder.path() / "pipeline", onDisk(), request_.progress, request_.cancel, scales()});
  writeText(folder.path() / "run.py", script);
  if (isGguf(request_.policy)) writeText(folder.path() / kGgufModule, ggufModule(request_.model, ggufName()));
  writeText(folder.path() / "requirements.txt", requirements(request_.policy));
  ExportResult result{0, manifest(folder.path(), "run.py")};
  writeText(folder.path() / "manifest.json", result.manifest.dump(2) + "\n");
  for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
    if (entry.is_regular_file()) result.bytes += static_cast<std::int64_t>(entry.file_size());
  if (request_.cancel && *request_.cancel) throw Cancelled();
  if (fs::exists(request_.out)) checkReplaceable(request_.out);   // minutes have passed
  folder.publish();
  return result;
}

}  // namespace

ExportResult exportModel(const ExportRequest& request) {
  const c10::InferenceMode inference;
  ExportRequest complete = request;
  complete.recipe = completeRecipe(request.recipe, request.model);
  const Export job(complete);
  job.check();
  return job.write();
}

std::int64_t exportBytes(const ExportRequest& request) {
  const c10::InferenceMode inference;
  return Export(request).bytes();
}

}  // namespace quantspot::pipeline
