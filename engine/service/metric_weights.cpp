#include "engine/service/metric_weights.h"

#include "engine/model/folder.h"
#include "engine/model/mapped_file.h"
#include "engine/model/safetensors.h"
#include "engine/model/sha256.h"
#include "metrics/inception.h"
#include "metrics/torch_file.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>

namespace quantspot::service {
namespace {

namespace fs = std::filesystem;
constexpr const char* kScriptMark = "layers.conv.beta";   // only inception-2015-12-05.pt has it

// By its content, whatever it is called: a length of eight bytes, then JSON.
bool isSafeTensors(const fs::path& path) {
  char begin[9] = {};
  std::ifstream(path, std::ios::binary).read(begin, sizeof begin);
  return path.extension() == ".safetensors" || begin[8] == '{';
}

std::map<std::string, at::Tensor> readFile(const fs::path& path) {
  if (!isSafeTensors(path)) return metrics::readTorchFile(path);
  const model::SafeTensors file(path);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, entry] : file.entries()) tensors[name] = file.copy(entry);
  return tensors;
}

// lpips keeps its trunk in slices with torchvision's numbers: net.slice2.3.weight is features.3.weight.
std::string plainName(const std::string& name) {
  if (name.starts_with("net.slice")) return "features." + name.substr(name.find('.', 9) + 1);
  if (name.starts_with("lins.")) return "lin" + name.substr(5);
  if (name.starts_with("module.")) return plainName(name.substr(7));
  return name;
}

std::string shapeText(at::IntArrayRef shape) { return fmt::format("({})", fmt::join(shape.begin(), shape.end(), ", ")); }

}  // namespace

std::string filesHash(const std::vector<fs::path>& files) {
  model::Sha256 hash;
  for (const fs::path& path : files) {
    const model::MappedFile file(path);
    hash.add(file.bytes().data(), file.bytes().size());
  }
  return hash.hex();
}

MetricWeights::MetricWeights(const std::vector<fs::path>& files) {
  if (files.empty()) throw model::ModelError("no weight file was given");
  for (const fs::path& path : files) {
    files_ += (files_.empty() ? "" : " and ") + path.string();
    for (auto& [name, tensor] : readFile(path)) {
      const std::string plain = plainName(name);
      if (plain.starts_with("classifier.") || plain.ends_with("num_batches_tracked")) continue;   // most of VGG; nobody asks for it
      if (!tensors_.emplace(plain, tensor).second && !name.starts_with("lins."))
        throw model::ModelError(path.string() + ": " + name + " is there twice");
    }
  }
  hash_ = filesHash(files);
}

const at::Tensor* MetricWeights::find(const std::string& name) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end() && tensors_.contains(kScriptMark)) found = tensors_.find(metrics::torchScriptName(name));
  return found == tensors_.end() ? nullptr : &found->second;
}

at::Tensor MetricWeights::read(const std::string& name, const std::vector<std::int64_t>& shape) const {
  const at::Tensor* tensor = find(name);
  if (tensor == nullptr && name.ends_with(".bn.weight") && tensors_.contains(kScriptMark)) return at::ones(shape);
  if (tensor == nullptr) throw model::ModelError(fmt::format("{}: there is no tensor {}; is it another network's file?", files_, name));
  if (tensor->sizes() != at::IntArrayRef(shape))
    throw model::ModelError(fmt::format("{}: {} has shape {}, but {} is needed", files_, name, shapeText(tensor->sizes()), shapeText(shape)));
  return *tensor;
}

metrics::WeightSource MetricWeights::source() const {
  return [this](const std::string& name, const std::vector<std::int64_t>& shape) { return read(name, shape); };
}

}  // namespace quantspot::service
