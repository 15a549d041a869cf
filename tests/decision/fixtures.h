// A model of 12 billion parameters as the memory model would tell of it, and evidence about it.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision::test {

inline constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// A denoiser of so many GiB beside text encoders of 9 and an autoencoder of 0.5; a picture takes 1.
inline Option option(const std::string& precision, double bits, double denoiser) {
  const auto bytes = [](double gib) { return static_cast<std::int64_t>(gib * kGiB); };
  Option made{.precision = precision, .bits = bits, .memory = {.precision = precision, .placements = {}}};
  const auto need = [&](double encode, double denoise, double decode) {
    return PhaseNeed{{bytes(encode), bytes(0.1), 0}, {bytes(denoise), bytes(1), 0}, {bytes(decode), bytes(1), 0}};
  };
  const double all = 9.5 + denoiser;
  made.memory.placements = {need(all, all, all), need(9, denoiser, 0.5), need(1, denoiser / 20, 0.5), need(0.2, denoiser / 100, 0.2)};
  return made;
}

inline Question question(double maxGiB) {
  Question made{.model = "flux", .hardware = knownGpu("a100-80"), .constraints = {}, .options = {}, .evidence = {}, .steps = 20, .reserve = kGpuReserve};
  made.options = {option("bf16", 16, 24), option("bnb-int8", 8, 12), option("gguf-q6_k", 6.5625, 10), option("bnb-nf4", 4.5, 7), option("gguf-q2_k", 2.625, 4)};
  made.constraints.maxMemory = static_cast<std::int64_t>(maxGiB * kGiB);
  made.constraints.offload = false;
  return made;
}

// As `quantspot-cli compare` writes it: a CLIP score per picture and precision, in the order of the precisions.
inline nlohmann::json comparison(const std::vector<std::string>& precisions, const std::vector<double>& clip, const std::vector<double>& seconds, int pictures = 8) {
  nlohmann::json report = {{"schema", 1}, {"precisions", precisions}, {"comparisons", nlohmann::json::array()}};
  for (int i = 0; i < pictures; ++i) {
    nlohmann::json samples = nlohmann::json::array();
    for (std::size_t k = 0; k < precisions.size(); ++k) {
      nlohmann::json scores = {{"clip", clip[k] + 0.1 * (i % 3)}};
      if (k > 0) scores["psnr"] = 40.0 - 5 * static_cast<double>(k);
      samples.push_back({{"precision", precisions[k]}, {"scores", scores},
                         {"report", {{"engine", {{"device", "cpu"}}}, {"seconds", {{"total", seconds[k] + 0.01 * (i % 2)}}}}}});
    }
    report["comparisons"].push_back({{"recipe", {{"steps", 20}, {"width", 128}, {"height", 128}}}, {"samples", samples}});
  }
  return report;
}

inline nlohmann::json detection(const std::string& variant, const std::string& verdict, double value, double low, double high, const std::string& kind = "abx") {
  return {{"variant", variant}, {"verdict", verdict}, {"kind", kind}, {"detection", value}, {"detection_interval", {low, high}}, {"margin", 0.1}, {"trials", 120}, {"people", 12}};
}

inline nlohmann::json study(const std::vector<nlohmann::json>& figures) {
  return {{"schema", 1}, {"title", "study 3"}, {"headline", "with_exclusions"}, {"with_exclusions", {{"detection", figures}}}};
}

}  // namespace quantspot::decision::test
