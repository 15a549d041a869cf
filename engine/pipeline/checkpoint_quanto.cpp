#include "engine/pipeline/checkpoint_quanto.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 5> kTypes = {
    {{"quanto-int8", "int8"}, {"quanto-int8a8", "int8"}, {"quanto-int4", "int4"}, {"quanto-int2", "int2"}, {"quanto-fp8", "float8"}}};

std::string lastName(const std::string& layer) { return layer.substr(layer.rfind('.') + 1); }   // of a layer without a dot, all of it

class QuantoCheckpoint final : public CheckpointFormat {
 public:
  QuantoCheckpoint(const std::string& precision, const char* type)
      : quantizer_(quant::quantizer(precision)), type_(type), scaled_(precision == "quanto-int8a8") {}

  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override {
    NamedTensors all = quantizer_.onDisk(layer, weight);
    if (scaled_) std::erase_if(all, [](const auto& one) { return one.first.ends_with("put_scale"); });   // the calibration's take their place
    return all;
  }
  bool needsActivationScales() const override { return scaled_; }

  std::map<std::string, nlohmann::ordered_json> filesBeside(const std::vector<std::string>& packed) const override {
    if (!scaled_) return {};
    nlohmann::ordered_json map = nlohmann::ordered_json::object();
    for (const std::string& layer : packed) map[layer] = {{"weights", "qint8"}, {"activations", "qint8"}};
    return {{"quanto_qmap.json", map}};
  }

  // diffusers compares the last part of a layer's name with this list.
  nlohmann::ordered_json config(const std::vector<std::string>& kept) const override {
    if (scaled_) return nullptr;
    std::set<std::string> names;
    for (const std::string& layer : kept) names.insert(lastName(layer));
    return {{"quant_method", "quanto"}, {"weights_dtype", type_}, {"modules_to_not_convert", names}};
  }

  void check(const std::string& part, const std::vector<std::string>& kept, const std::vector<std::string>& packed) const override {
    if (part.starts_with("text_encoder"))
      throw std::invalid_argument(fmt::format("{}: transformers loads no text encoder from a Quanto checkpoint; leave it in bf16 or use bnb-int8", part));
    if (scaled_) return;                 // its map has whole names
    for (const std::string& layer : kept) {
      const auto same = std::ranges::find_if(packed, [&](const std::string& other) { return lastName(other) == lastName(layer); });
      if (same != packed.end())
        throw std::invalid_argument(fmt::format("{}: diffusers' Quanto loader knows layers by the last part of their names only, so it cannot leave out {} and quantize {}",
                                                quantizer_.name(), layer, *same));
    }
  }

 private:
  const quant::Quantizer& quantizer_;
  const std::string type_;
  const bool scaled_;
};

}  // namespace

std::unique_ptr<CheckpointFormat> quantoCheckpoint(const std::string& precision) {
  for (const auto& [id, type] : kTypes)
    if (precision == id) return std::make_unique<QuantoCheckpoint>(precision, type);
  return nullptr;
}

ActivationScales activationScales(const nlohmann::json& scales) try {
  ActivationScales all;
  for (const auto& [layer, value] : scales.items()) all[layer] = {value.at("input").get<float>(), value.at("output").get<float>()};
  return all;
} catch (const nlohmann::json::exception& error) {
  throw std::invalid_argument(fmt::format("activation_scales: {}", error.what()));
}

NamedTensors scaleTensors(const std::string& layer, const ActivationScales& scales) {
  const auto found = scales.find(layer);
  if (found == scales.end())
    throw std::invalid_argument(layer + ": its activations have no scale; give the report of a picture that was drawn with this precision and --calibrate PROMPTS");
  // Where only zeros were seen, 1 gives the same codes, and the reference does not divide by zero.
  const auto number = [](float value) { return at::full({}, value > 0 ? value : 1, at::kBFloat16); };
  return {{layer + ".input_scale", number(found->second.input)}, {layer + ".output_scale", number(found->second.output)}};
}

}  // namespace quantspot::pipeline
