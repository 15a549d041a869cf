#include "engine/pipeline/checkpoint.h"

#include "engine/pipeline/checkpoint_bnb.h"
#include "engine/pipeline/checkpoint_torchao.h"

#include <stdexcept>

namespace quantspot::pipeline {
namespace {

// Weights that are their own stored form: plain ones, and fp8 (diffusers: from_pretrained(torch_dtype=torch.bfloat16), then
// enable_layerwise_casting() gives the same bits again).
class DirectFormat final : public CheckpointFormat {
 public:
  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override { return {{layer + ".weight", weight.part("")}}; }
  nlohmann::ordered_json config(const std::vector<std::string>&) const override { return nullptr; }
};

// optimum-quanto, as diffusers' quantizer loads it.
class QuantoCheckpoint final : public CheckpointFormat {
 public:
  explicit QuantoCheckpoint(const std::string& precision) : quantizer_(quant::quantizer(precision)), type_(precision == "quanto-int8" ? "int8" : "float8") {}

  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override { return quantizer_.onDisk(layer, weight); }
  nlohmann::ordered_json config(const std::vector<std::string>& kept) const override {
    return {{"quant_method", "quanto"}, {"weights_dtype", type_}, {"modules_to_not_convert", kept}};
  }

 private:
  const quant::Quantizer& quantizer_;
  const std::string type_;
};

}  // namespace

std::unique_ptr<CheckpointFormat> checkpointFormat(const std::string& precision) {
  if (precision.starts_with("bnb-")) return bnbCheckpoint(precision);
  if (auto torchAo = torchAoCheckpoint(precision)) return torchAo;
  if (precision == "quanto-int8" || precision == "quanto-fp8") return std::make_unique<QuantoCheckpoint>(precision);
  for (const char* direct : {"fp32", "bf16", "fp16", "fp8-layerwise", "fp8-layerwise-e5m2"})
    if (precision == direct) return std::make_unique<DirectFormat>();
  throw std::invalid_argument("no checkpoint of " + precision + " can be written yet; use a plain, fp8-layerwise or bnb precision, torchao-int8wo, -int8dq, -fp8wo, quanto-int8 or -fp8");
}

}  // namespace quantspot::pipeline
