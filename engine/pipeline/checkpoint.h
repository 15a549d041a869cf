// Packed weights as the reference libraries lay them on disk.
#pragma once

#include "quant/quantizer.h"

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace quantspot::pipeline {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// How one reference library stores a component's packed Linear layers.
class CheckpointFormat {
 public:
  virtual ~CheckpointFormat() = default;
  // The tensors of one layer's weight; `layer` is its name in the component.
  virtual NamedTensors tensors(const std::string& layer, const quant::QuantizedTensor& weight) const = 0;
  // "quantization_config" of config.json: with what the library is told to load; `kept` are the layers that stay plain. Null: none.
  virtual nlohmann::ordered_json config(const std::vector<std::string>& kept) const = 0;
  // Whether a layer's tensors are not whole without what a calibration found (scaleTensors()).
  virtual bool needsActivationScales() const { return false; }
  // Files in the component's folder, by name, that the library reads besides.
  virtual std::map<std::string, nlohmann::ordered_json> filesBeside(const std::vector<std::string>& /*packed*/) const { return {}; }
  // Throws std::invalid_argument where the library cannot load this part so, or cannot be told that `kept` stays plain beside `packed`.
  virtual void check(const std::string& /*part*/, const std::vector<std::string>& /*kept*/, const std::vector<std::string>& /*packed*/) const {}
  // Of the safetensors file, beside "format": `packed` are the layers with their weights' shapes, `plain` all tensors of other kinds.
  virtual std::map<std::string, std::string> metadata(const std::map<std::string, std::vector<std::int64_t>>& /*packed*/, const std::vector<std::string>& /*plain*/) const {
    return {};
  }
};

// Throws std::invalid_argument for a precision that its library loads from no checkpoint in safetensors, with the reason.
std::unique_ptr<CheckpointFormat> checkpointFormat(const std::string& precision);

}  // namespace quantspot::pipeline
