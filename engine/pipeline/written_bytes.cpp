#include "engine/pipeline/written_bytes.h"

#include "engine/model/family.h"
#include "engine/model/weights.h"
#include "engine/pipeline/folder_copy.h"
#include "engine/pipeline/measured_layers.h"
#include "engine/pipeline/packing.h"

#include <ATen/ATen.h>

#include <numeric>
#include <set>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLayerHeader = 4096, kBeside = 1 << 20;   // header and tables of one layer; configurations, scripts and manifest

// Linear layers as they rest in memory, all else in the compute type.
std::int64_t layerBytes(const fs::path& model, const std::string& part, const std::vector<model::LayerInfo>& layers, at::ScalarType compute,
                        bool denoiser) {
  const std::string prefix = denoiser ? "" : part + ".";
  const auto size = static_cast<std::int64_t>(at::elementSize(compute));
  std::set<std::string> counted;
  std::int64_t bytes = 0;
  for (const model::LayerInfo& layer : layers) {
    if (layer.shape.size() != 2 || !layer.name.starts_with(prefix)) continue;
    counted.insert(layer.name.substr(prefix.size()));
    bytes += layer.bytes + kLayerHeader;
  }
  const model::Weights weights(model / part);
  for (const std::string& tensor : weights.names()) {
    const std::size_t dot = tensor.rfind('.');
    if (dot != std::string::npos && counted.contains(tensor.substr(0, dot))) continue;
    const auto shape = weights.shape(tensor);
    bytes += size * std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()) + kLayerHeader;
  }
  return bytes;
}

}  // namespace

std::int64_t packedBytes(const fs::path& model, const quant::Policy& policy) {
  const model::Family& family = model::familyOf(model);
  const std::string denoiser(family.info().denoiser);
  const at::ScalarType compute = quant::quantizer(policy.precision).computeType();
  model::LoadOptions options;
  options.compute = compute;
  options.device = at::kMeta;
  measureLayers(options, policy);        // keeps a reference to the policy
  std::int64_t bytes = layerBytes(model, denoiser, family.loadDenoiser(model, options)->layers(), compute, true);
  if (policy.textEncoderRules().empty()) return bytes;
  const auto layers = family.loadTextEncoders(model, options)->layers();
  for (const std::string& part : partsOf(model))
    if (part.starts_with("text_encoder")) bytes += layerBytes(model, part, layers, compute, false);
  return bytes;
}

std::int64_t checkpointBytes(const fs::path& model, const quant::Policy& policy) {
  const std::string denoiser(model::familyOf(model).info().denoiser);
  std::int64_t bytes = packedBytes(model, policy) + kBeside;
  for (const std::string& part : partsOf(model))
    if (part != denoiser && (policy.textEncoderRules().empty() || !part.starts_with("text_encoder"))) bytes += partBytes(model / part);
  return bytes;
}

}  // namespace quantspot::pipeline
