// What a model is to run on: this machine as the engine found it, or a GPU of the table.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::decision {

struct Hardware {
  std::string id;                        // "rtx-4070"; "cpu", "gpu0": found
  std::string name;
  bool gpu = true, found = false;
  std::int64_t memory = 0;               // bytes: the GPU's own, or RAM that is free now
  int nominal = 0;                       // GB, as the vendor sells it; 0: not of the table
  double bandwidth = 0;                  // bytes per second of that memory; 0: not known
  double link = 0;                       // bytes per second from RAM to a GPU, at most; 0: not known, or none
  bool bf16 = true, fp8 = false;         // multiplied by its own instructions
  std::vector<std::string> features = {};   // of a CPU
  std::string source = {};               // whose figures these are
};
void to_json(nlohmann::json& json, const Hardware& hardware);

// Common GPUs from 8 to 80 GB, by nominal memory. `memory` is what the driver reports as the GPU's total, less than the nominal size where error
// correction takes a part of it; every figure's source is named in `source` (known_gpus.cpp).
const std::vector<Hardware>& knownGpus();

// Of the table. Throws std::invalid_argument that lists the ids.
const Hardware& knownGpu(std::string_view id);

// A machine that is in no table, as its owner states it: what it has of memory, free, and of instructions. Of a CPU the names that the engine tells
// (avx2, avx512_vnni, avx512_bf16, amx_bf16, …; bf16 is multiplied by those that end in it), of a GPU "fp8" (and with it bf16), "bf16" (taken for
// granted where nothing is said) or "fp16" (neither). Throws std::invalid_argument for other names of a GPU's.
Hardware statedHardware(bool gpu, std::int64_t memory, const std::vector<std::string>& features);

// What "initialize" of the protocol tells of the engine's machine ("engine" of its result): the CPU first, then each GPU. Of an engine that
// tells no memory: the CPU with memory 0.
std::vector<Hardware> foundHardware(const nlohmann::json& engine);

}  // namespace quantspot::decision
