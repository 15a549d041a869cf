// Figures of GPUs, each against a public source (looked up in November 2026).
//
// Memory: the total that nvidia-smi reports, as seen in logs that owners published (repositories on GitHub; several cards each). Error correction
// costs a sixteenth where GDDR6 cards have it on (T4, A10, L4, L40S), the driver a few MiB elsewhere.
// Bandwidth: the vendor's sheet, which is bus width × data rate ÷ 8; checked against a second table where there was one.
// Capability: https://developer.nvidia.com/cuda-gpus; BF16 from 8.0 on, FP8 from 8.9 on.
#include "decision/hardware.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::decision {
namespace {

// PCI Express by generation, one lane each way, in GB/s: 8, 16 and 32 GT/s less the 128b/130b coding.
constexpr double kLane[] = {0, 0, 0, 0.985, 1.969, 3.938};

struct Row {
  const char *id, *name;
  int gigabytes;                         // as sold
  int mebibytes;                         // as reported by the driver
  int busBits;
  double gigabits;                       // per second and pin
  double bandwidth;                      // GB/s: of both, as the sheet has it
  int generation, lanes;                 // of PCI Express
  int capability;                        // 89: 8.9
  const char* source;                    // of bus, bandwidth and link
};

constexpr const char *kAmpere = "NVIDIA GA102 whitepaper; hmc-tech.com, sysrqmts.com", *kAda = "NVIDIA Ada whitepaper; topcpu.net",
                     *kBlackwell = "NVIDIA RTX Blackwell whitepaper; pocketmags.com (Linux Format, May 2025)";
constexpr Row kRows[] = {
    {"rtx-3070", "GeForce RTX 3070", 8, 8192, 256, 14, 448, 4, 16, 86, kAmpere},
    {"rtx-4060", "GeForce RTX 4060", 8, 8188, 128, 17, 272, 4, 8, 89, "NVIDIA Ada whitepaper; topcpu.net (RTX 2080 against RTX 4060)"},
    {"rtx-3080", "GeForce RTX 3080", 10, 10240, 320, 19, 760, 4, 16, 86, "NVIDIA GA102 whitepaper; kitguru.net (RTX 3080: PCIe 4.0 against 3.0)"},
    {"rtx-2080-ti", "GeForce RTX 2080 Ti", 11, 11264, 352, 14, 616, 3, 16, 75, "NVIDIA Turing whitepaper; kitguru.net (RTX 3080: PCIe 4.0 against 3.0)"},
    {"rtx-3060", "GeForce RTX 3060", 12, 12288, 192, 15, 360, 4, 16, 86, "NVIDIA product page; cputronic.com (RTX 3060 against RTX 4070)"},
    {"rtx-4070", "GeForce RTX 4070", 12, 12282, 192, 21, 504, 4, 16, 89, "NVIDIA Ada whitepaper; cputronic.com (RTX 3060 against RTX 4070)"},
    {"t4", "T4", 16, 15360, 256, 10, 320, 3, 16, 75, "NVIDIA T4 product brief (manualmachine.com, PNY TCST4MPB): up to 320 GB/s"},
    {"rtx-4060-ti-16", "GeForce RTX 4060 Ti 16 GB", 16, 16380, 128, 18, 288, 4, 8, 89, "NVIDIA Ada whitepaper; thefpsreview.com; hardwareluxx.de (eight lanes)"},
    {"rtx-4080", "GeForce RTX 4080", 16, 16376, 256, 22.4, 717, 4, 16, 89, kAda},
    {"rtx-5080", "GeForce RTX 5080", 16, 16303, 256, 30, 960, 5, 16, 120, "NVIDIA RTX Blackwell whitepaper; tweaktown.com"},
    {"l4", "L4", 24, 23034, 192, 12.5, 300, 4, 16, 89, "NVIDIA L4 data sheet; store.sourcecode.com"},
    {"a10", "A10", 24, 23028, 384, 12.5, 600, 4, 16, 86, "NVIDIA A10 data sheet; sysrqmts.com (A10 PCIe)"},
    {"rtx-3090", "GeForce RTX 3090", 24, 24576, 384, 19.5, 936, 4, 16, 86, "NVIDIA GA102 whitepaper; kitguru.net (RTX 3080: PCIe 4.0 against 3.0)"},
    {"rtx-4090", "GeForce RTX 4090", 24, 24564, 384, 21, 1008, 4, 16, 89, "NVIDIA Ada whitepaper; sipoch.com (RTX 5090 and 5080: specifications)"},
    {"rtx-5090", "GeForce RTX 5090", 32, 32607, 512, 28, 1792, 5, 16, 120, kBlackwell},
    {"a100-40", "A100 40 GB", 40, 40960, 5120, 2.43, 1555, 4, 16, 80, "NVIDIA A100 data sheet; glennklockwood.com (A100)"},
    {"rtx-a6000", "RTX A6000", 48, 49140, 384, 16, 768, 4, 16, 86, "NVIDIA RTX A6000 data sheet; sysrqmts.com (error correction off, as delivered)"},
    {"l40s", "L40S", 48, 46068, 384, 18, 864, 4, 16, 89, "NVIDIA L40S data sheet; store.sourcecode.com"},
    {"a100-80", "A100 80 GB", 80, 81920, 5120, 3.186, 2039, 4, 16, 80, "NVIDIA A100 data sheet (SXM); glennklockwood.com (A100)"},
    {"h100", "H100 80 GB", 80, 81559, 5120, 5.234, 3350, 5, 16, 90, "NVIDIA H100 data sheet (SXM)"},
};

// The sheets round: to 1 %.
constexpr bool agrees(const Row& row) {
  const double product = row.busBits * row.gigabits / 8;
  return product > 0.99 * row.bandwidth && product < 1.01 * row.bandwidth;
}
static_assert(std::ranges::all_of(kRows, agrees));

Hardware hardwareOf(const Row& row) {
  return {.id = row.id, .name = row.name, .memory = std::int64_t{row.mebibytes} << 20, .nominal = row.gigabytes, .bandwidth = row.bandwidth * 1e9,
          .link = kLane[row.generation] * row.lanes * 1e9, .bf16 = row.capability >= 80, .fp8 = row.capability >= 89,
          .source = fmt::format("{} bits at {} Gbit/s, PCI Express {}.0 × {}, compute capability {}.{}. {}", row.busBits, row.gigabits, row.generation, row.lanes,
                                row.capability / 10, row.capability % 10, row.source)};
}

}  // namespace

const std::vector<Hardware>& knownGpus() {
  static const std::vector<Hardware> all = [] {
    std::vector<Hardware> made;
    for (const Row& row : kRows) made.push_back(hardwareOf(row));
    return made;
  }();
  return all;
}

}  // namespace quantspot::decision
