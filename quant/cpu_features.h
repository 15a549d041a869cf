// What this CPU can do, asked once. Decides which kernels run; the names go into reports.
#pragma once

#include <string>
#include <vector>

namespace quantspot::quant {

struct CpuFeatures {
  bool avx2 = false, avx512 = false, avx512Vnni = false, avx512Bf16 = false, amxBf16 = false, amxInt8 = false;
};

// True where the operating system also saves the registers. `avx512` stands for F, BW, DQ and VL together.
const CpuFeatures& cpuFeatures();

// Whether torch's bf16 matrix product uses bf16 instructions. False with QUANTSPOT_NO_BF16=1 in the environment, so that
// the fp32 path can be tested and measured on any machine. Read once, at the first call.
bool hasBf16Gemm();

// The instruction sets that kernels here use, e.g. {"avx2", "avx512", "avx512_vnni"}, in the spelling of /proc/cpuinfo.
std::vector<std::string> cpuFeatureNames();

}  // namespace quantspot::quant
