#include "engine/pipeline/checkpoint_bnb.h"

#include "quant/bnb_4bit.h"
#include "quant/double_quant.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

namespace quantspot::pipeline {
namespace {

using nlohmann::ordered_json;

at::Tensor bytesOf(const std::string& text) { return at::tensor(at::ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), at::kByte); }

// "bnb-nf4?blocksize=128" → 128.
double optionOf(const std::string& precision, const std::string& name, double byDefault) {
  const std::size_t at = precision.find(name + "=");
  return at == std::string::npos ? byDefault : std::stod(precision.substr(at + name.size() + 1));
}

ordered_json configOf(bool fourBit, double threshold, const std::vector<std::string>& kept) {
  return {{"quant_method", "bitsandbytes"}, {"load_in_8bit", !fourBit}, {"load_in_4bit", fourBit}, {"_load_in_8bit", !fourBit}, {"_load_in_4bit", fourBit},
          {"llm_int8_threshold", threshold}, {"llm_int8_skip_modules", kept.empty() ? ordered_json() : ordered_json(kept)},
          {"llm_int8_enable_fp32_cpu_offload", false}, {"llm_int8_has_fp16_weight", false}};
}

class Int8Checkpoint final : public CheckpointFormat {
 public:
  explicit Int8Checkpoint(const std::string& precision) : threshold_(optionOf(precision, "threshold", 6)) {}

  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override {
    return {{layer + ".weight", weight.part("")}, {layer + ".SCB", weight.part("SCB")},
            {layer + ".weight_format", at::zeros({}, at::kByte)}};   // 0: rows
  }
  ordered_json config(const std::vector<std::string>& kept) const override { return configOf(false, threshold_, kept); }

 private:
  double threshold_;
};

class FourBitCheckpoint final : public CheckpointFormat {
 public:
  explicit FourBitCheckpoint(const std::string& precision)
      : type_(precision.starts_with("bnb-nf4") ? "nf4" : "fp4"), double_(precision.find("-dq") != std::string::npos), block_(static_cast<int>(optionOf(precision, "blocksize", 64))) {}

  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override {
    const std::string name = layer + ".weight";
    const auto& values = (type_ == "nf4" ? quant::nf4Map() : quant::fp4Map()).values;
    NamedTensors out = {{name, weight.part("")}, {name + ".absmax", weight.part("absmax")},
                        {name + ".quant_map", at::tensor(at::ArrayRef<float>(values), at::kFloat)}};
    if (double_) {
      out.emplace_back(name + ".nested_absmax", weight.part("nested_absmax"));
      out.emplace_back(name + ".nested_quant_map", quant::dynamicMap());
    }
    out.emplace_back(name + ".quant_state.bitsandbytes__" + type_, bytesOf(state(weight)));
    return out;
  }

  ordered_json config(const std::vector<std::string>& kept) const override {
    ordered_json config = configOf(true, 6, kept);
    config.update({{"bnb_4bit_quant_type", type_}, {"bnb_4bit_use_double_quant", double_}, {"bnb_4bit_compute_dtype", "bfloat16"}, {"bnb_4bit_quant_storage", "uint8"}});
    return config;
  }

 private:
  // QuantState.as_dict(packed=True), functional.py: what is no tensor, as Python's json.dumps writes it.
  std::string state(const quant::QuantizedTensor& weight) const {
    std::string text = fmt::format(R"({{"quant_type": "{}", "blocksize": {}, "dtype": "bfloat16", "shape": [{}])", type_, block_, fmt::join(weight.shape, ", "));
    if (double_) text += fmt::format(R"(, "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": {})", static_cast<double>(weight.part("nested_offset").item<float>()));
    return text + "}";
  }

  std::string type_;
  bool double_;
  int block_;
};

}  // namespace

std::unique_ptr<CheckpointFormat> bnbCheckpoint(const std::string& precision) {
  if (precision.starts_with("bnb-int8")) return std::make_unique<Int8Checkpoint>(precision);
  return std::make_unique<FourBitCheckpoint>(precision);
}

}  // namespace quantspot::pipeline
