#include "decision/hardware.h"

#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::decision {
namespace {

std::int64_t bytesAt(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool hasBf16(const std::vector<std::string>& features) {
  return std::ranges::any_of(features, [](const std::string& name) { return name.ends_with("_bf16"); });
}

Hardware foundCpu(const nlohmann::json& engine, const nlohmann::json& hardware) {
  Hardware cpu{.id = "cpu", .name = hardware.value("cpu", "this machine's CPU"), .gpu = false, .found = true,
      .memory = bytesAt(hardware, "ram_free")};
  cpu.features = engine.value("cpu_features", std::vector<std::string>());
  cpu.bf16 = hasBf16(cpu.features);
  cpu.source = "found by the engine";
  return cpu;
}

}  // namespace

void to_json(nlohmann::json& json, const Hardware& hardware) {
  json = {{"id", hardware.id}, {"name", hardware.name}, {"gpu", hardware.gpu}, {"found", hardware.found}, {"memory", hardware.memory},
      {"bf16", hardware.bf16},
          {"fp8", hardware.fp8}, {"features", hardware.features}, {"source", hardware.source}};
  if (hardware.nominal > 0) json["nominal_gb"] = hardware.nominal;
  if (hardware.bandwidth > 0) json["bandwidth"] = hardware.bandwidth;
  if (hardware.link > 0) json["link"] = hardware.link;
}

const Hardware& knownGpu(std::string_view id) {
  std::string known;
  for (const Hardware& gpu : knownGpus()) {
    if (gpu.id == id) return gpu;
    known += (known.empty() ? "" : ", ") + gpu.id;
  }
  throw std::invalid_argument(fmt::format("hardware '{}' is not known; use found, cpu:MEMORY, gpu:MEMORY or one of {}", id, known));
}

Hardware statedHardware(bool gpu, std::int64_t memory, const std::vector<std::string>& features) {
  const auto has = [&](std::string_view name) { return std::ranges::find(features, name) != features.end(); };
  Hardware stated{.id = gpu ? "gpu" : "cpu", .name = fmt::format("a {} with {}", gpu ? "GPU" : "CPU", gib(memory)), .gpu = gpu, .memory = memory};
  stated.source = "stated";
  if (gpu)
    for (const std::string& name : features)
      if (name != "fp8" && name != "bf16" && name != "fp16")
        throw std::invalid_argument(fmt::format("a GPU's instructions are fp8, bf16 or fp16, not '{}'", name));
  stated.fp8 = gpu && has("fp8");
  stated.bf16 = gpu ? stated.fp8 || !has("fp16") : hasBf16(features);
  if (!gpu) stated.features = features;
  return stated;
}

std::vector<Hardware> foundHardware(const nlohmann::json& engine) {
  const nlohmann::json told = engine.value("hardware", nlohmann::json::object());
  std::vector<Hardware> all = {foundCpu(engine, told)};
  for (const nlohmann::json& gpu : told.value("gpus", nlohmann::json::array())) {
    const int capability = gpu.value("capability", 0);   // 89: 8.9
    const double bandwidth = gpu.value("bandwidth", 0.0);
    all.push_back({.id = fmt::format("gpu{}", all.size() - 1), .name = gpu.value("name", "GPU"), .found = true, .memory = bytesAt(gpu, "memory"),
        .bandwidth = bandwidth,
                   .bf16 = capability >= 80, .fp8 = capability >= 89, .source = "found by the engine"});
  }
  return all;
}

}  // namespace quantspot::decision
