#include "engine/pipeline/quantize_model.h"

#include "engine/model/config.h"
#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/weights.h"
#include "engine/pipeline/checkpoint.h"
#include "engine/pipeline/folder_copy.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/packing.h"
#include "engine/pipeline/whole_folder.h"
#include "engine/pipeline/written_bytes.h"
#include "quant/plain.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <map>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct PackedLayer {
  quant::QuantizedTensor weight;
  std::optional<at::Tensor> bias;
};
using PackedPart = std::map<std::string, PackedLayer>;   // by the layer's name in its part

// "text_encoder_2.encoder.x" → part and name; the denoiser's layers carry no part.
std::pair<std::string, std::string> splitName(const std::string& layer, std::string_view denoiser) {
  if (!layer.starts_with("text_encoder")) return {std::string(denoiser), layer};
  const std::size_t dot = layer.find('.');
  return {layer.substr(0, dot), layer.substr(dot + 1)};
}

class Packing {
 public:
  explicit Packing(const QuantizeRequest& request) : request_(request), family_(model::familyOf(request.model)),
      compute_(quant::quantizer(request.policy.precision).computeType()) {}

  std::map<std::string, PackedPart> run();
  at::ScalarType compute() const { return compute_; }

 private:
  model::LoadOptions options(const char* stage);

  const QuantizeRequest& request_;
  const model::Family& family_;
  const at::ScalarType compute_;
  std::map<std::string, PackedPart> parts_;
};

model::LoadOptions Packing::options(const char* stage) {
  model::LoadOptions options;
  options.compute = compute_;
  options.onLayer = [this, stage](std::size_t done, std::size_t total) {
    if (request_.cancel && *request_.cancel) throw Cancelled();
    if (request_.progress) request_.progress(stage, static_cast<int>(done), static_cast<int>(total));
  };
  options.linear = [this](const model::LayerWeight& weight, std::optional<at::Tensor> bias) {
    const quant::Quantizer& quantizer = quantizerFor(request_.policy, weight.name, weight.shape);
    quant::QuantizedTensor packed = quantizer.pack(weight.read());
    const auto [part, layer] = splitName(weight.name, family_.info().denoiser);
    parts_[part][layer] = {packed, bias};
    return quantizer.linear(std::move(packed), std::move(bias));
  };
  return options;
}

// The modules are built and dropped; what they were given stays.
std::map<std::string, PackedPart> Packing::run() {
  const TightHeap tight;
  if (!request_.policy.textEncoderRules().empty()) family_.loadTextEncoders(request_.model, options("encode"));
  family_.loadDenoiser(request_.model, options("load"));
  return std::move(parts_);
}

// The one precision of a part that is not plain; "" when all are.
std::string precisionOf(const std::string& name, const PackedPart& part, std::string_view plain) {
  std::string found;
  for (const auto& [layer, packed] : part) {
    const std::string& precision = packed.weight.precision;
    if (precision == plain || precision == found) continue;
    if (!found.empty())
      throw std::invalid_argument(fmt::format("{}: {} would be {} beside layers in {}; no library loads both from one checkpoint", name, layer,
                                              precision, found));
    found = precision;
  }
  return found;
}

void writeConfig(const fs::path& from, const fs::path& to, const ordered_json& quantization) {
  ordered_json config = ordered_json::parse(std::ifstream(from));
  if (!quantization.is_null()) config["quantization_config"] = quantization;
  std::ofstream out(to);
  out << config.dump(2) << "\n";
  if (!out.flush()) throw model::ModelError(to.string() + ": cannot be written");
}

class Writer {
 public:
  Writer(const QuantizeRequest& request, at::ScalarType compute, fs::path out) : request_(request), compute_(compute), out_(std::move(out)) {}

  void write(const std::string& name, const PackedPart& part, QuantizeResult& result) const;

 private:
  const QuantizeRequest& request_;
  const at::ScalarType compute_;
  const fs::path out_;
};

void Writer::write(const std::string& name, const PackedPart& part, QuantizeResult& result) const {
  const std::string_view plain = quant::plainPrecision(compute_);
  const std::string precision = precisionOf(name, part, plain);
  const auto format = checkpointFormat(precision.empty() ? std::string(plain) : precision), direct = checkpointFormat(std::string(plain));
  NamedTensors tensors, others;
  std::map<std::string, std::vector<std::int64_t>> shapes;
  std::vector<std::string> kept, quantized;
  for (const auto& [layer, packed] : part) {
    const bool isPlain = packed.weight.precision == plain;
    for (auto& tensor : (isPlain ? *direct : *format).tensors(layer, packed.weight)) (isPlain ? others : tensors).push_back(std::move(tensor));
    if (!isPlain && format->needsActivationScales())
      for (auto& tensor : scaleTensors(layer, request_.scales)) tensors.push_back(std::move(tensor));
    if (packed.bias) others.emplace_back(layer + ".bias", *packed.bias);
    if (isPlain) kept.push_back(layer);
    else quantized.push_back(layer);
    if (!isPlain) shapes[layer] = packed.weight.shape;
    (isPlain ? result.kept : result.packed).push_back(name + "." + layer);
  }
  format->check(name, kept, quantized);
  const model::Weights weights(request_.model / name);
  for (const std::string& tensor : weights.names()) {
    const std::size_t dot = tensor.rfind('.');
    if (dot == std::string::npos || !part.contains(tensor.substr(0, dot))) others.emplace_back(tensor, weights.read(tensor).to(compute_));
  }
  const bool diffusers = !name.starts_with("text_encoder");
  const fs::path folder = out_ / name, file = folder / (diffusers ? "diffusion_pytorch_model.safetensors" : "model.safetensors");
  fs::create_directories(folder);
  std::vector<std::string> plainNames;
  for (auto& other : others) {
    plainNames.push_back(other.first);
    tensors.push_back(std::move(other));
  }
  std::map<std::string, std::string> metadata = format->metadata(shapes, plainNames);
  metadata["format"] = "pt";
  model::saveSafeTensors(file, tensors, metadata);
  writeConfig(request_.model / name / "config.json", folder / "config.json", format->config(kept));
  for (const auto& [beside, content] : format->filesBeside(quantized)) std::ofstream(folder / beside) << content.dump(2) << "\n";
  copyBesideWeights(request_.model / name, folder);
  result.bytes += static_cast<std::int64_t>(fs::file_size(file));
  for (const fs::path& was : model::weightFiles(request_.model / name)) result.was += static_cast<std::int64_t>(fs::file_size(was));
}

// The reference libraries pack Linear layers when they load a checkpoint; fp8 and plain convolutions are the same values in the compute type.
void checkConvolutions(const fs::path& model, const quant::Policy& policy, std::string_view denoiser) {
  const model::Weights weights(model / denoiser);
  const std::string plain(quant::plainPrecision(quant::quantizer(policy.precision).computeType()));
  for (const std::string& tensor : weights.names()) {
    if (!tensor.ends_with(".weight") || weights.shape(tensor).size() != 4) continue;
    const std::string layer = tensor.substr(0, tensor.size() - 7), precision = policy.precisionOf(layer, quant::LayerKind::Convolution);
    if (precision != plain && !precision.starts_with("fp8-layerwise"))
      throw std::invalid_argument(fmt::format("{} is a convolution in {}, which no library loads from a checkpoint; leave convolutions plain "
                                              "('{}{}conv:={}')", layer, precision, policy.text(), policy.text().find('?') == std::string::npos ? '?' : '&', plain));
  }
}

bool speaksOfAutoencoder(std::string_view pattern) {
  for (const std::string_view prefix : {"conv:", "^"})
    if (pattern.starts_with(prefix)) pattern.remove_prefix(prefix.size());
  return pattern.starts_with("vae");
}

}  // namespace

void checkCheckpoint(const fs::path& model, const quant::Policy& policy) {
  checkpointFormat(policy.precision);
  if (!policy.softmax().empty())
    throw std::invalid_argument(fmt::format("'softmax={}': no checkpoint says in which type a softmax runs; leave that rule out", policy.softmax()));
  for (const auto& [pattern, precision] : policy.layers) {
    if (speaksOfAutoencoder(pattern))
      throw std::invalid_argument(fmt::format("'{}={}': an exported autoencoder stays as it is; leave that rule out", pattern, precision));
    checkpointFormat(precision);
  }
  checkConvolutions(model, policy, model::familyOf(model).info().denoiser);
}

QuantizeResult quantizeModel(const QuantizeRequest& request) {
  const c10::InferenceMode inference;
  if (fs::exists(request.out)) throw std::invalid_argument(request.out.string() + " is already there; give a path that is not");
  const model::ModelSummary summary = model::inspectFolder(request.model);
  if (!summary.missing.empty()) throw model::ModelError(fmt::format("{} is not complete: {}", request.model.string(), summary.missing.front()));
  checkCheckpoint(request.model, request.policy);   // before minutes of work
  if (checkpointFormat(request.policy.precision)->needsActivationScales() && request.scales.empty()) scaleTensors(request.policy.precision, {});
  WholeFolder folder(request.out, false);
  checkRoom(request.out, checkpointBytes(request.model, request.policy));
  Packing packing(request);
  const std::map<std::string, PackedPart> parts = packing.run();
  QuantizeResult result;
  const Writer writer(request, packing.compute(), folder.path());
  for (const auto& [name, part] : parts) writer.write(name, part, result);
  copyTop(request.model, folder.path());
  for (const std::string& name : partsOf(request.model))
    if (!parts.contains(name)) copyPart(request.model / name, folder.path() / name);
  folder.publish();
  trimHeap();
  return result;
}

}  // namespace quantspot::pipeline
