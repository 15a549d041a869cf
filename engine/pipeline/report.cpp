#include "engine/pipeline/report.h"

#include "quant/cpu_features.h"

#include <ATen/Parallel.h>
#if __has_include(<torch/headeronly/version.h>)
#include <torch/headeronly/version.h>
#else
#include <torch/version.h>   // where libtorch 2.11 keeps it
#endif

#include <algorithm>

namespace quantspot::pipeline {

nlohmann::json engineBlock(const std::string& device) {
  return {{"version", QUANTSPOT_VERSION}, {"libtorch", TORCH_VERSION}, {"device", device},
          {"cpu_features", quant::cpuFeatureNames()}, {"threads", at::get_num_threads()}};
}

nlohmann::json policyBlock(const quant::Policy& policy) {
  nlohmann::json layers = nlohmann::json::object();
  for (const auto& [pattern, precision] : policy.layers) layers[pattern] = precision;
  return {{"skip", policy.skip}, {"layers", layers}, {"text", policy.text()}};
}

nlohmann::json weightsBlock(std::int64_t bytes, const std::vector<model::LayerInfo>& layers) {
  nlohmann::json list = nlohmann::json::array();
  for (const model::LayerInfo& layer : layers)
    list.push_back({{"name", layer.name}, {"precision", layer.precision}, {"shape", layer.shape}, {"bytes", layer.bytes}});
  return {{"bytes", bytes}, {"layers", std::move(list)}};
}

void Meter::add(const char* time, const char* peak, double seconds) {
  seconds_[time] = seconds_.value(time, 0.0) + seconds;
  peaks_[peak] = std::max(peaks_.value(peak, std::int64_t{0}), memory_.peak());
}

void Meter::move(const char* from, const char* to, double seconds) {
  seconds_[from] = std::max(0.0, seconds_.value(from, 0.0) - seconds);
  seconds_[to] = seconds_.value(to, 0.0) + seconds;
}

}  // namespace quantspot::pipeline
