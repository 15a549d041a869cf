#include "engine/pipeline/checkpoint_torchao.h"

#include "quant/torchao_int4.h"

namespace quantspot::pipeline {
namespace {

using nlohmann::ordered_json;

// Python's json.dumps: a space after commas and colons.
std::string dumps(const ordered_json& value) {
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, item] : value.items())
    text += (text.empty() ? "" : ", ") + (value.is_object() ? ordered_json(key).dump() + ": " : std::string()) + dumps(item);
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

ordered_json perRow() { return {{"_type", "PerRow"}, {"_data", {{"dim", -1}}}}; }
ordered_json perRowConfig() { return {{"_data", {{"dim", -1}}}, {"_type", "PerRow"}, {"_version", 1}}; }
ordered_json typed(const char* type, const char* value) { return {{"_type", type}, {"_data", value}}; }

ordered_json fastProduct() { return {{"_type", "Float8MMConfig"}, {"_data", {{"emulate", false}, {"use_fast_accum", true}, {"pad_inner_dim", false}}}}; }
ordered_json floatActivations() {
  return {{"_type", "QuantizeTensorToFloat8Kwargs"},
          {"_data", {{"float8_dtype", typed("torch.dtype", "float8_e4m3fn")}, {"granularity", perRow()}, {"mm_config", nullptr}, {"hp_value_lb", nullptr},
                     {"hp_value_ub", nullptr}, {"kernel_preference", typed("KernelPreference", "AUTO")}}}};
}

ordered_json choice(const char* type, const char* value) { return {{"_data", value}, {"_type", type}}; }

ordered_json int4Config(std::int64_t group) {
  return {{"_data", {{"group_size", group}, {"int4_choose_qparams_algorithm", choice("Int4ChooseQParamsAlgorithm", "TINYGEMM")},
                     {"int4_packing_format", choice("Int4PackingFormat", "PLAIN")}, {"int4_tile_packed_ntile", 8}, {"set_inductor_config", true}}},
          {"_type", "Int4WeightOnlyConfig"}, {"_version", 2}};
}

class TorchAoCheckpoint final : public CheckpointFormat {
 public:
  explicit TorchAoCheckpoint(const std::string& precision)
      : precision_(precision), quantizer_(quant::quantizer(precision)), int4_(dynamic_cast<const quant::TorchAoInt4*>(&quantizer_)) {}

  NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const override {
    return int4_ ? int4_->plainTensors(layer, weight) : quantizer_.onDisk(layer, weight);
  }

  ordered_json config(const std::vector<std::string>& kept) const override {
    return {{"modules_to_not_convert", kept.empty() ? ordered_json() : ordered_json(kept)}, {"quant_method", "torchao"}, {"quant_type", {{"default", quantType()}}}};
  }

  // A description of every tensor, for the library to put the parts together.
  std::map<std::string, std::string> metadata(const std::map<std::string, std::vector<std::int64_t>>& packed, const std::vector<std::string>& plain) const override {
    std::map<std::string, std::string> all;
    ordered_json names = ordered_json::array();
    for (const auto& [layer, shape] : packed) all[layer + ".weight"] = dumps(description(shape));
    for (const std::string& name : plain) all[name] = dumps({{"_type", "Tensor"}});
    for (const auto& [name, text] : all) names.push_back(name);
    all["tensor_names"] = dumps(names);
    return all;
  }

 private:
  ordered_json quantType() const {
    if (int4_) return int4Config(int4_->group());
    if (precision_ == "torchao-int8wo")
      return {{"_data", {{"granularity", perRowConfig()}, {"group_size", nullptr}, {"set_inductor_config", true}}}, {"_type", "Int8WeightOnlyConfig"}, {"_version", 2}};
    if (precision_ == "torchao-int8dq")
      return {{"_data", {{"act_mapping_type", {{"_data", "SYMMETRIC"}, {"_type", "MappingType"}}}, {"granularity", perRowConfig()}, {"reduce_range", false},
                         {"set_inductor_config", true}, {"weight_only_decode", false}}},
              {"_type", "Int8DynamicActivationInt8WeightConfig"}, {"_version", 2}};
    const ordered_json float8 = {{"_data", "float8_e4m3fn"}, {"_type", "torch.dtype"}};
    if (precision_ == "torchao-fp8dq")
      return {{"_data", {{"activation_dtype", float8}, {"activation_value_lb", nullptr}, {"activation_value_ub", nullptr}, {"alg_id", 0},
                         {"granularity", ordered_json::array({perRowConfig(), perRowConfig()})}, {"kernel_preference", {{"_data", "AUTO"}, {"_type", "KernelPreference"}}},
                         {"mm_config", {{"_data", {{"emulate", false}, {"pad_inner_dim", false}, {"use_fast_accum", true}}}, {"_type", "Float8MMConfig"}, {"_version", 1}}},
                         {"packing_format", {{"_data", "PLAIN"}, {"_type", "Float8PackingFormat"}}}, {"set_inductor_config", true}, {"weight_dtype", float8}}},
              {"_type", "Float8DynamicActivationFloat8WeightConfig"}, {"_version", 2}};
    return {{"_data", {{"granularity", perRowConfig()}, {"set_inductor_config", true}, {"weight_dtype", float8}}}, {"_type", "Float8WeightOnlyConfig"}, {"_version", 2}};
  }

  ordered_json description(const std::vector<std::int64_t>& shape) const {
    const ordered_json block = {1, int4_ ? int4_->group() : shape[1]}, type = typed("torch.dtype", "bfloat16");
    if (int4_)
      return {{"_type", "Int4Tensor"}, {"_data", {{"activation_dtype", type}, {"block_size", block}, {"shape", shape}}},
              {"_tensor_data_names", {"qdata", "scale", "zero_point"}}};
    if (precision_.starts_with("torchao-fp8")) {
      const bool dynamic = precision_ == "torchao-fp8dq";
      return {{"_type", "Float8Tensor"},
              {"_data", {{"block_size", block}, {"mm_config", dynamic ? fastProduct() : ordered_json()}, {"act_quant_kwargs", dynamic ? floatActivations() : ordered_json()},
                         {"kernel_preference", typed("KernelPreference", "AUTO")}, {"dtype", type}}},
              {"_tensor_data_names", {"qdata", "scale"}}};
    }
    ordered_json activations;
    if (precision_ == "torchao-int8dq")
      activations = {{"_type", "QuantizeTensorToInt8Kwargs"},
                     {"_data", {{"granularity", perRow()}, {"mapping_type", typed("MappingType", "SYMMETRIC")}, {"reduce_range", false}}}};
    return {{"_type", "Int8Tensor"},
            {"_data", {{"act_quant_kwargs", activations}, {"reduce_range", false}, {"block_size", block}, {"dtype", type}}},
            {"_tensor_data_names", {"zero_point", "qdata", "scale"}}};
  }

  const std::string precision_;
  const quant::Quantizer& quantizer_;
  const quant::TorchAoInt4* const int4_;   // null for the others
};

}  // namespace

std::unique_ptr<CheckpointFormat> torchAoCheckpoint(const std::string& precision) {
  for (const char* known : {"torchao-int8wo", "torchao-int8dq", "torchao-fp8wo", "torchao-fp8dq"})
    if (precision == known) return std::make_unique<TorchAoCheckpoint>(precision);
  if (precision.starts_with("torchao-int4wo")) return std::make_unique<TorchAoCheckpoint>(precision);
  return nullptr;
}

}  // namespace quantspot::pipeline
