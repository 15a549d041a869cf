#include "quant/cpu_features.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace quantspot::quant {
namespace {

#if defined(__x86_64__)
// AMX is read from CPUID: the compiler's list of feature names does not have it. Bits: Intel SDM, leaf 7.
void detectAmx(CpuFeatures& features) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return;
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned tileState = 3u << 17;
  if ((low & tileState) != tileState || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return;
  features.amxBf16 = edx & (1u << 22);
  features.amxInt8 = edx & (1u << 25);
}

CpuFeatures detect() {
  __builtin_cpu_init();
  CpuFeatures features;
  features.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  features.avxVnni = __builtin_cpu_supports("avxvnni");
  features.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  features.avx512Vnni = features.avx512 && __builtin_cpu_supports("avx512vnni");
  features.avx512Bf16 = features.avx512 && __builtin_cpu_supports("avx512bf16");
  detectAmx(features);
  return features;
}
#else
CpuFeatures detect() { return {}; }
#endif

}  // namespace

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features = detect();
  return features;
}

KernelLevel kernelLevel() {
  static const KernelLevel level = [] {
    const char* given = std::getenv("QUANTSPOT_CPU");
    const std::string_view name = given ? given : "";
    if (name.empty() || name == "avx512") return KernelLevel::Avx512;
    if (name == "avx_vnni") return KernelLevel::AvxVnni;
    if (name == "avx2") return KernelLevel::Avx2;
    if (name == "portable") return KernelLevel::Portable;
    throw std::invalid_argument("QUANTSPOT_CPU is \"" + std::string(name) + "\"; it may be portable, avx2, avx_vnni or avx512");
  }();
  return level;
}

bool hasBf16Gemm() {
  static const bool wanted = [] {
    const char* off = std::getenv("QUANTSPOT_NO_BF16");
    return !off || std::string_view(off).empty() || std::string_view(off) == "0";
  }();
  return wanted && kernelLevel() == KernelLevel::Avx512 && (cpuFeatures().avx512Bf16 || cpuFeatures().amxBf16);
}

std::vector<std::string> cpuFeatureNames() {
  const CpuFeatures& has = cpuFeatures();
  std::vector<std::string> names;
  if (has.avx2) names.push_back("avx2");
  if (has.avxVnni) names.push_back("avx_vnni");
  if (has.avx512) names.push_back("avx512");
  if (has.avx512Vnni) names.push_back("avx512_vnni");
  if (has.avx512Bf16) names.push_back("avx512_bf16");
  if (has.amxBf16) names.push_back("amx_bf16");
  if (has.amxInt8) names.push_back("amx_int8");
  return names;
}

}  // namespace quantspot::quant
