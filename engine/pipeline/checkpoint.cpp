#include "engine/pipeline/checkpoint.h"

#include "engine/pipeline/checkpoint_bnb.h"
#include "engine/pipeline/checkpoint_quanto.h"
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

}  // namespace

std::unique_ptr<CheckpointFormat> checkpointFormat(const std::string& precision) {
  if (precision.starts_with("bnb-")) return bnbCheckpoint(precision);
  if (auto torchAo = torchAoCheckpoint(precision)) return torchAo;
  if (auto quanto = quantoCheckpoint(precision)) return quanto;
  for (const char* direct : {"fp32", "bf16", "fp16", "fp8-layerwise", "fp8-layerwise-e5m2"})
    if (precision == direct) return std::make_unique<DirectFormat>();
  if (precision.starts_with("int8-dynamic"))
    throw std::invalid_argument("int8-dynamic: torch quantizes when the program starts (torch.ao.quantization.quantize_dynamic); there is no checkpoint of it, but 'export' writes the code; or use torchao-int8dq");
  throw std::invalid_argument("no checkpoint in safetensors holds " + precision + "; gguf-* is a GGUF file, others are plain, fp8-layerwise, bnb-*, torchao-* and quanto-*");
}

}  // namespace quantspot::pipeline
