// LoRA beside the packed weights, with what it measurably does.
#pragma once

#include "engine/model/layers.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace quantspot::pipeline {

struct Adapter {                         // --lora FILE[:scale]
  std::filesystem::path file;
  double scale = 1;
  bool operator==(const Adapter&) const = default;
};

// The LoRA files of one sample. Layers that a file names get x·Wᵀ + b + Σ scale·(x·downᵀ)·upᵀ, where the packed weight stays as it is
// and the low-rank part is computed in the layer's compute type, as PEFT 0.21.2 does.
class Adapters {
 public:
  // Reads the files. Throws ModelError as model::readLora().
  explicit Adapters(const std::vector<Adapter>& adapters);
  ~Adapters();

  // The layer with its updates around it; must not outlive this. Throws ModelError when an update does not fit the layer's shape.
  std::unique_ptr<quant::Linear> around(const std::string& name, std::unique_ptr<quant::Linear> layer, const at::Device& device);

  // Throws ModelError when a file changed no layer: it belongs to another model. Call when all parts are loaded.
  void check() const;
  // Per file: its scale, how many layers it changed, those that no part had ("unmatched"), and "effect": how large its part of these layers'
  // outputs was beside theirs (root of the ratio of sums of squares) when each multiplied first. 0 means that it did nothing.
  nlohmann::json report() const;

 private:
  struct File;
  std::vector<std::unique_ptr<File>> files_;
};

}  // namespace quantspot::pipeline
