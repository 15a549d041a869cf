#include "decision/hardware.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

namespace quantspot::decision {
namespace {

// PCI Express × 16 by generation, each way, in GB/s.
constexpr double kPcie3 = 15.75, kPcie4 = 31.5, kPcie5 = 63.0;

struct Row {
  const char *id, *name;
  int gigabytes;
  double bandwidth;                      // GB/s
  double link;                           // GB/s
  bool bf16, fp8;
  const char* source;
};

constexpr const char* kGeForce30 = "NVIDIA GA102 and GA104 whitepapers", *kGeForce40 = "NVIDIA Ada GPU architecture whitepaper",
                    *kGeForce50 = "NVIDIA RTX Blackwell GPU architecture whitepaper";
constexpr Row kRows[] = {
    {"rtx-3070", "GeForce RTX 3070", 8, 448, kPcie4, true, false, kGeForce30},
    {"rtx-4060", "GeForce RTX 4060", 8, 272, kPcie4 / 2, true, true, kGeForce40},
    {"rtx-3080", "GeForce RTX 3080", 10, 760, kPcie4, true, false, kGeForce30},
    {"rtx-2080-ti", "GeForce RTX 2080 Ti", 11, 616, kPcie3, false, false, "NVIDIA Turing GPU architecture whitepaper"},
    {"rtx-3060", "GeForce RTX 3060", 12, 360, kPcie4, true, false, "NVIDIA product page, RTX 3060"},
    {"rtx-4070", "GeForce RTX 4070", 12, 504, kPcie4, true, true, kGeForce40},
    {"t4", "T4", 16, 320, kPcie3, false, false, "NVIDIA T4 data sheet"},
    {"rtx-4060-ti-16", "GeForce RTX 4060 Ti 16 GB", 16, 288, kPcie4 / 2, true, true, kGeForce40},
    {"rtx-4080", "GeForce RTX 4080", 16, 717, kPcie4, true, true, kGeForce40},
    {"rtx-5080", "GeForce RTX 5080", 16, 960, kPcie5, true, true, kGeForce50},
    {"l4", "L4", 24, 300, kPcie4, true, true, "NVIDIA L4 data sheet"},
    {"a10", "A10", 24, 600, kPcie4, true, false, "NVIDIA A10 data sheet"},
    {"rtx-3090", "GeForce RTX 3090", 24, 936, kPcie4, true, false, kGeForce30},
    {"rtx-4090", "GeForce RTX 4090", 24, 1008, kPcie4, true, true, kGeForce40},
    {"rtx-5090", "GeForce RTX 5090", 32, 1792, kPcie5, true, true, kGeForce50},
    {"a100-40", "A100 40 GB", 40, 1555, kPcie4, true, false, "NVIDIA A100 data sheet"},
    {"rtx-a6000", "RTX A6000", 48, 768, kPcie4, true, false, "NVIDIA RTX A6000 data sheet"},
    {"l40s", "L40S", 48, 864, kPcie4, true, true, "NVIDIA L40S data sheet"},
    {"a100-80", "A100 80 GB", 80, 2039, kPcie4, true, false, "NVIDIA A100 data sheet (SXM)"},
    {"h100", "H100 80 GB", 80, 3350, kPcie5, true, true, "NVIDIA H100 data sheet (SXM)"},
};

std::int64_t bytesAt(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Hardware foundCpu(const nlohmann::json& engine, const nlohmann::json& hardware) {
  Hardware cpu{.id = "cpu", .name = hardware.value("cpu", "this machine's CPU"), .gpu = false, .found = true, .memory = bytesAt(hardware, "ram_free")};
  cpu.features = engine.value("cpu_features", std::vector<std::string>());
  cpu.bf16 = std::ranges::any_of(cpu.features, [](const std::string& name) { return name.ends_with("_bf16"); });
  cpu.source = "found by the engine";
  return cpu;
}

}  // namespace

void to_json(nlohmann::json& json, const Hardware& hardware) {
  json = {{"id", hardware.id}, {"name", hardware.name}, {"gpu", hardware.gpu}, {"found", hardware.found}, {"memory", hardware.memory}, {"bf16", hardware.bf16},
          {"fp8", hardware.fp8}, {"features", hardware.features}, {"source", hardware.source}};
  if (hardware.bandwidth > 0) json["bandwidth"] = hardware.bandwidth;
  if (hardware.link > 0) json["link"] = hardware.link;
}

const std::vector<Hardware>& knownGpus() {
  static const std::vector<Hardware> all = [] {
    std::vector<Hardware> made;
    for (const Row& row : kRows)
      made.push_back({.id = row.id, .name = row.name, .memory = std::int64_t{row.gigabytes} << 30, .bandwidth = row.bandwidth * 1e9, .link = row.link * 1e9,
                      .bf16 = row.bf16, .fp8 = row.fp8, .source = row.source});
    return made;
  }();
  return all;
}

const Hardware& knownGpu(std::string_view id) {
  std::string known;
  for (const Hardware& gpu : knownGpus()) {
    if (gpu.id == id) return gpu;
    known += (known.empty() ? "" : ", ") + gpu.id;
  }
  throw std::invalid_argument(fmt::format("hardware '{}' is not known; use found or one of {}", id, known));
}

std::vector<Hardware> foundHardware(const nlohmann::json& engine) {
  const nlohmann::json told = engine.value("hardware", nlohmann::json::object());
  std::vector<Hardware> all = {foundCpu(engine, told)};
  for (const nlohmann::json& gpu : told.value("gpus", nlohmann::json::array())) {
    const int capability = gpu.value("capability", 0);   // 89: 8.9
    const double bandwidth = gpu.value("bandwidth", 0.0);
    all.push_back({.id = fmt::format("gpu{}", all.size() - 1), .name = gpu.value("name", "GPU"), .found = true, .memory = bytesAt(gpu, "memory"), .bandwidth = bandwidth,
                   .bf16 = capability >= 80, .fp8 = capability >= 89, .source = "found by the engine"});
  }
  return all;
}

}  // namespace quantspot::decision
