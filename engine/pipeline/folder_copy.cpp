#include "engine/pipeline/folder_copy.h"

#include "engine/model/config.h"
#include "engine/model/single/views.h"
#include "engine/model/weights.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <numeric>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeightEndings[] = {".safetensors", ".gguf", ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".h5", ".onnx", ".onnx_data", ".index.json"};
constexpr std::int64_t kHeaderBytes = 4096;   // of one tensor in a file's header, generously

bool isWeights(const std::string& name) {
  return name == model::kViewsFile || std::ranges::any_of(kWeightEndings, [&](const char* ending) { return name.ends_with(ending); });
}

// Whether diffusers reads the weights as they lie there.
bool isDirect(const fs::path& part) {
  if (fs::exists(part / model::kViewsFile)) return false;
  const auto files = model::weightFiles(part);
  return std::ranges::all_of(files, [](const fs::path& file) { return file.extension() == ".safetensors"; });
}

bool hasWeights(const fs::path& part) {
  return std::ranges::any_of(fs::directory_iterator(part), [](const auto& entry) { return isWeights(entry.path().filename().string()); });
}

bool isTransformers(const fs::path& part) { return part.filename().string().starts_with("text_encoder"); }

// Whether a text encoder's names are those of transformers 5, which ComfyUI and transformers 4 do not find.
bool isNamedAnew(const fs::path& part) {
  if (!isTransformers(part) || !hasWeights(part)) return false;
  const auto names = model::Weights(part).names();
  return std::ranges::any_of(names, [](const std::string& name) { return clipName(name) != name; });
}

}  // namespace

std::string clipName(const std::string& name) {
  for (const char* start : {"embeddings.", "encoder.layers.", "final_layer_norm."})
    if (name.starts_with(start)) return "text_model." + name;
  return name;
}

std::vector<std::string> partsOf(const fs::path& model) {
  std::vector<std::string> parts;
  const nlohmann::json index = model::readJson(model / "model_index.json");
  for (const auto& [name, value] : index.items())
    if (value.is_array() && fs::is_directory(model / name)) parts.push_back(name);
  return parts;
}

void copyTop(const fs::path& from, const fs::path& to) {
  nlohmann::ordered_json index = nlohmann::ordered_json::parse(std::ifstream(from / "model_index.json"));
  for (auto& [name, value] : index.items())
    if (value.is_array() && !fs::is_directory(from / name)) value = nlohmann::ordered_json::array({nullptr, nullptr});
  std::ofstream out(to / "model_index.json");
  out << index.dump(2) << "\n";
  if (!out.flush()) throw model::ModelError((to / "model_index.json").string() + ": cannot be written");
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool beside = name == "quantspot.json" || name.starts_with("LICENSE") || name == "README.md" || name == "MODEL_CARD.md";
    if (beside && entry.is_regular_file()) fs::copy_file(entry.path(), to / name);
  }
}

void copyBesideWeights(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "config.json" && !isWeights(name)) fs::copy_file(entry.path(), to / name);
  }
}

void copyPart(const fs::path& from, const fs::path& to) {
  copyBesideWeights(from, to);
  if (fs::exists(from / "config.json")) fs::copy_file(from / "config.json", to / "config.json");
  if (!hasWeights(from)) return;
  if (isDirect(from) && !isNamedAnew(from)) {
    for (const fs::path& file : model::weightFiles(from)) {
      fs::copy_file(file, to / file.filename());
      for (const char* stem : {"diffusion_pytorch_model", "model"})
        if (const fs::path index = from / (std::string(stem) + ".safetensors.index.json"); fs::exists(index))
          fs::copy_file(index, to / index.filename(), fs::copy_options::overwrite_existing);
    }
    return;
  }
  const model::Weights weights(from);
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const std::string& name : weights.names()) tensors.emplace_back(isTransformers(from) ? clipName(name) : name, weights.read(name));
  model::saveSafeTensors(to / (isTransformers(from) ? "model.safetensors" : "diffusion_pytorch_model.safetensors"), tensors, {{"format", "pt"}});
}

std::int64_t partBytes(const fs::path& from) {
  std::int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file() && !isWeights(entry.path().filename().string())) bytes += static_cast<std::int64_t>(entry.file_size());
  if (!hasWeights(from)) return bytes;
  if (isDirect(from)) {
    const std::int64_t header = kHeaderBytes * (isNamedAnew(from) ? 16 : 1);   // longer names
    for (const fs::path& file : model::weightFiles(from)) bytes += static_cast<std::int64_t>(fs::file_size(file)) + header;
    return bytes;
  }
  const model::Weights weights(from);
  for (const std::string& name : weights.names()) {
    const auto shape = weights.shape(name);
    bytes += 4 * std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()) + kHeaderBytes;
  }
  return bytes;
}

}  // namespace quantspot::pipeline
