#include "engine/pipeline/export.h"

#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_convert.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/model/weights.h"
#include "engine/pipeline/companion.h"
#include "engine/pipeline/export_script.h"
#include "engine/pipeline/folder_copy.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/pipeline/recipe.h"
#include "engine/pipeline/report.h"
#include "engine/pipeline/whole_folder.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <numeric>
#include <set>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kLayerHeader = 4096, kBeside = 1 << 20;   // header and tables of one layer; scripts and manifest

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
  std::int64_t packedBytes() const;
  std::int64_t packedBytes(const std::string& part, const std::vector<model::LayerInfo>& layers) const;

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
  if (fs::exists(request_.out) && request_.force && !fs::is_empty(request_.out) && !fs::exists(request_.out / "manifest.json"))
    throw std::invalid_argument(request_.out.string() + " is no earlier export (it has no manifest.json), so --force does not replace it");
}

// Linear layers as they rest in memory, all else in the compute type.
std::int64_t Export::packedBytes(const std::string& part, const std::vector<model::LayerInfo>& layers) const {
  const std::string prefix = part == denoiser_ ? "" : part + ".";
  const auto size = static_cast<std::int64_t>(at::elementSize(quant::quantizer(request_.policy.precision).computeType()));
  std::set<std::string> counted;
  std::int64_t bytes = 0;
  for (const model::LayerInfo& layer : layers) {
    if (layer.shape.size() != 2 || !layer.name.starts_with(prefix)) continue;
    counted.insert(layer.name.substr(prefix.size()));
    bytes += layer.bytes + kLayerHeader;
  }
  const model::Weights weights(request_.model / part);
  for (const std::string& tensor : weights.names()) {
    const std::size_t dot = tensor.rfind('.');
    if (dot != std::string::npos && counted.contains(tensor.substr(0, dot))) continue;
    const auto shape = weights.shape(tensor);
    bytes += size * std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()) + kLayerHeader;
  }
  return bytes;
}

std::int64_t Export::packedBytes() const {
  model::LoadOptions options;
  options.compute = quant::quantizer(request_.policy.precision).computeType();
  options.device = at::kMeta;
  const quant::Policy policy = onDisk();   // measureLayers() keeps a reference
  measureLayers(options, policy);
  std::int64_t bytes = packedBytes(denoiser_, family_.loadDenoiser(request_.model, options)->layers());
  if (request_.policy.textEncoderRules().empty()) return bytes;
  const auto layers = family_.loadTextEncoders(request_.model, options)->layers();
  for (const std::string& part : partsOf(request_.model))
    if (part.starts_with("text_encoder")) bytes += packedBytes(part, layers);
  return bytes;
}

std::int64_t Export::bytes() const {
  std::int64_t bytes = packedBytes() + kBeside;
  for (const std::string& part : partsOf(request_.model))
    if (part != denoiser_ && (request_.policy.textEncoderRules().empty() || !part.starts_with("text_encoder")))
      bytes += partBytes(request_.model / part);
  if (isGguf(request_.policy) && needsCompanion(request_.model)) bytes += companionBytes(request_.model);
  return bytes;
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
  const std::string script = runScript({request_.model, request_.policy, request_.recipe, ggufName(), judgedHash()});
  if (isGguf(request_.policy)) writeGguf(folder.path());
  else quantizeModel({request_.model, folder.path() / "pipeline", onDisk(), request_.progress, request_.cancel, scales()});
  writeText(folder.path() / "run.py", script);
  writeText(folder.path() / "requirements.txt", requirements(request_.policy));
  ExportResult result{0, manifest(folder.path(), "run.py")};
  writeText(folder.path() / "manifest.json", result.manifest.dump(2) + "\n");
  for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
    if (entry.is_regular_file()) result.bytes += static_cast<std::int64_t>(entry.file_size());
  if (request_.cancel && *request_.cancel) throw Cancelled();
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
