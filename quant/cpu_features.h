// What this CPU can do, asked once. Decides which kernels run; the names go into reports.
#pragma once

#include <string>
#include <vector>

namespace quantspot::quant {

struct CpuFeatures {
  bool avx2 = false, avxVnni = false, avx512 = false, avx512Vnni = false, avx512Bf16 = false, amxBf16 = false, amxInt8 = false;
};

// True where the operating system also saves the registers. `avx512` stands for F, BW, DQ and VL together.
const CpuFeatures& cpuFeatures();

// The widest registers that kernels may use: what this CPU has, or less where the environment says so (QUANTSPOT_CPU=portable, avx2,
// avx_vnni or avx512), so that each path can be tested and measured on one machine. Read once, at the first call; throws std::invalid_argument.
enum class KernelLevel { Portable, Avx2, AvxVnni, Avx512 };
KernelLevel kernelLevel();

// Of three builds of the same kernels the widest that kernelLevel() allows; those that are not built or not supported here are null.
template <class Kernels>
Kernels* widest(Kernels* avx512, Kernels* avx2, Kernels* portable) {
  if (avx512 && kernelLevel() == KernelLevel::Avx512) return avx512;
  return avx2 && kernelLevel() != KernelLevel::Portable ? avx2 : portable;
}

// Whether torch's bf16 matrix product uses bf16 instructions. False with QUANTSPOT_NO_BF16=1 in the environment and
// below KernelLevel::Avx512. Read once, at the first call.
bool hasBf16Gemm();

// The instruction sets that kernels here use, e.g. {"avx2", "avx512", "avx512_vnni"}, in the spelling of /proc/cpuinfo.
std::vector<std::string> cpuFeatureNames();

}  // namespace quantspot::quant
