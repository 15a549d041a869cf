#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr FigureInfo kFigures[] = {
    {"clip", "CLIP score", "", Better::Higher, Source::Prompt, 2},
    {"psnr", "PSNR", "dB", Better::Higher, Source::Pair, 2},
    {"ssim", "SSIM", "", Better::Higher, Source::Pair, 4},
    {"ms-ssim", "MS-SSIM", "", Better::Higher, Source::Pair, 4},
    {"gmsd", "GMSD", "", Better::Lower, Source::Pair, 4},
    {"lpips", "LPIPS", "", Better::Lower, Source::Pair, 4},
    {"fid", "FID", "", Better::Lower, Source::Set, 2},
    {"kid", "KID", "", Better::Lower, Source::Set, 4},
    {"fd-clip-tiny", "FD-CLIP-tiny", "", Better::Lower, Source::Set, 4},
    {"rating", "Human rating", "of 5", Better::Higher, Source::Set, 2},
    {"latency", "Time per picture", "s", Better::Lower, Source::Report, 2},
    {"step", "Time per step", "s", Better::Lower, Source::Report, 3},
    {"throughput", "Pictures per minute", "", Better::Higher, Source::Report, 2},
    {"total", "Time with loading", "s", Better::Lower, Source::Report, 2},
    {"memory", "Peak memory", "B", Better::Lower, Source::Report, 0},
    {"weights", "Denoiser in memory", "B", Better::Lower, Source::Report, 0},
};

// No copies: a report lists every layer.
const json& part(const json& object, const std::string& key) {
  static const json none;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : none;
}

double number(const json& object, const char* key) {
  const json& found = part(object, key);
  return found.is_number() ? found.get<double>() : 0.0;
}

double highest(const json& peaks) {
  double most = 0;
  for (const auto& peak : peaks)
    if (peak.is_number()) most = std::max(most, peak.get<double>());
  return most;
}

double picturesOf(const json& report) { return std::max(1.0, number(report, "batch")); }

double stepSeconds(const json& report) {
  const json& steps = part(part(report, "seconds"), "steps");
  double sum = 0;
  for (const auto& step : steps) sum += step.get<double>();
  return steps.empty() ? 0 : sum / static_cast<double>(steps.size()) / picturesOf(report);
}

std::optional<double> fromReport(const json& report, std::string_view id) {
  if (!report.is_object() || !report.contains("seconds")) return std::nullopt;
  const double latency = latencySeconds(report);
  if (id == "latency") return latency;
  if (id == "step") return stepSeconds(report);
  if (id == "throughput") return latency > 0 ? std::optional(60 / latency) : std::nullopt;
  if (id == "total") return number(report["seconds"], "total") / picturesOf(report);
  if (id == "memory") return memoryBytes(report);
  if (id == "weights") return denoiserBytes(report);
  return std::nullopt;
}

}  // namespace

std::span<const FigureInfo> figures() { return kFigures; }

const FigureInfo* figureInfo(std::string_view id) {
  const auto found = std::ranges::find(kFigures, id, &FigureInfo::id);
  return found == std::end(kFigures) ? nullptr : found;
}

std::optional<double> figureOf(const json& sample, std::string_view id) {
  const FigureInfo* info = figureInfo(id);
  if (!info) return std::nullopt;
  if (info->source == Source::Report) return fromReport(part(sample, "report"), id);
  const json& found = part(part(sample, "scores"), std::string(id));
  if (!found.is_number() || !std::isfinite(found.get<double>())) return std::nullopt;
  return found.get<double>();
}

double latencySeconds(const json& report) {
  const json& seconds = part(report, "seconds");
  double sum = number(seconds, "encode") + number(seconds, "decode");
  for (const auto& step : part(seconds, "steps")) sum += step.get<double>();
  return sum / picturesOf(report);
}

double memoryBytes(const json& report) {
  if (const double device = highest(part(report, "device_peak_bytes")); device > 0) return device;
  return std::max(0.0, highest(part(report, "peak_bytes")) - number(report, "floor_bytes"));
}

std::string_view denoiserOf(const json& weights) { return weights.contains("unet") ? "unet" : "transformer"; }

double denoiserBytes(const json& report) {
  const json& weights = part(report, "weights");
  return number(part(weights, std::string(denoiserOf(weights))), "bytes");
}

std::string bytesText(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, unit == 0 || std::abs(bytes) >= 100 ? 0 : 1, kUnits[unit]);
}

std::string secondsText(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  const auto minutes = static_cast<std::int64_t>(std::llround(seconds / 60));
  if (minutes < 60) return fmt::format("{} min", minutes);
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string figureText(const FigureInfo& info, std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "–";
  if (info.unit == "B") return bytesText(*value);
  return fmt::format("{:.{}f}{}{}", *value, info.digits, info.unit.empty() ? "" : " ", info.unit);
}

}  // namespace quantspot::evaluation
