// tests/parity/golden/metrics, see the README there.
#pragma once

#include "engine/model/safetensors.h"
#include "metrics/image.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

namespace quantspot::test {

struct MetricsGolden {
  nlohmann::json numbers = nlohmann::json::parse(std::ifstream(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/metrics/metrics.json"));
  model::SafeTensors file{QUANTSPOT_SOURCE_DIR "/tests/parity/golden/metrics/metrics.safetensors"};

  at::Tensor tensor(const std::string& name) const { return file.copy(file.entries().at(name)); }
  metrics::Image image(const std::string& name) const {
    const at::Tensor bytes = tensor(name);
    const auto* first = bytes.const_data_ptr<std::uint8_t>();
    return {static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), {first, first + bytes.numel()}};
  }
};

}  // namespace quantspot::test
