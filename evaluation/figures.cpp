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
    {"lpips-vgg", "LPIPS (vgg)", "", Better::Lower, Source::Pair, 4},
    {"lpips-squeeze", "LPIPS (squeeze)", "", Better::Lower, Source::Pair, 4},
    {"dists", "DISTS", "", Better::Lower, Source::Pair, 4},
    {"clip-image", "CLIP-image", "", Better::Higher, Source::Pair, 2},
    {"kid", "KID", "", Better::Lower, Source::Set, 4},
    {"fid", "FID", "", Better::Lower, Source::Set, 2},
    {"cmmd", "CMMD", "", Better::Lower, Source::Set, 3},
    {"kd-clip-tiny", "KD-CLIP-tiny", "", Better::Lower, Source::Set, 4},
    {"fd-clip-tiny", "FD-CLIP-tiny", "", Better::Lower, Source::Set, 4},
    {"cmmd-clip-tiny", "CMMD-CLIP-tiny", "", Better::Lower, Source::Set, 3},
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

double numberOf(const json& value) { return value.is_number() ? value.get<double>() : 0.0; }
double number(const json& object, const char* key) { return numberOf(part(object, key)); }

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
  for (const auto& step : steps) sum += numberOf(step);
  return steps.empty() ? 0 : sum / static_cast<double>(steps.size()) / picturesOf(report);
}

bool hasNumber(const json& object) {
  return std::ranges::any_of(object, [](const json& value) { return value.is_number(); });
}

// Of pictures made elsewhere there is what their list says, or nothing; that is no 0.
bool isTold(const json& report, std::string_view id) {
  const json& seconds = part(report, "seconds");
  if (id == "latency" || id == "throughput") return hasNumber(seconds) || !part(seconds, "steps").empty();
  if (id == "step") return !part(seconds, "steps").empty();
  if (id == "total") return part(seconds, "total").is_number();
  if (id == "memory") return hasNumber(part(report, "peak_bytes")) || hasNumber(part(report, "device_peak_bytes"));
  const json& weights = part(report, "weights");
  return id != "weights" || part(part(weights, std::string(denoiserOf(weights))), "bytes").is_number();
}

std::optional<double> fromReport(const json& report, std::string_view id) {
  if (!report.is_object() || !report.contains("seconds") || !isTold(report, id)) return std::nullopt;
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
  if (!seconds.contains("encode") && !seconds.contains("decode") && !seconds.contains("steps")) return number(seconds, "total") / picturesOf(report);
  double sum = number(seconds, "encode") + number(seconds, "decode");
  for (const auto& step : part(seconds, "steps")) sum += numberOf(step);
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

std::string cautionOf(std::string_view id, std::size_t n) {
  if (id != "fid" || n >= kFewForFid) return "";
  return fmt::format("{} pictures: below {} FID is far too high by its own bias; go by KID or by paired LPIPS", n, kFewForFid);
}

std::string scoreLabel(std::string_view id, const std::string& given) {
  const FigureInfo* info = figureInfo(id);
  if (given.empty()) return std::string(info ? info->label : id);
  return id == "clip" ? given + " score" : given;
}

void nameScore(Labels& labels, const std::string& id, const std::string& given) {
  if (std::string name = scoreLabel(id, given); name != scoreLabel(id, "")) labels[id] = std::move(name);
}

std::string labelOf(const Labels& labels, std::string_view id) {
  const auto given = labels.find(std::string(id));
  return given != labels.end() ? given->second : scoreLabel(id, "");
}

std::string labelOf(const nlohmann::json& report, const FigureInfo& info) {
  const json& label = part(part(report, "labels"), std::string(info.id));
  return label.is_string() ? label.get<std::string>() : std::string(info.label);
}

std::string columnOf(const nlohmann::json& report, std::string_view id) {
  const FigureInfo* info = figureInfo(id);
  const bool tiny = info && labelOf(report, *info).starts_with("CLIP-tiny") && id.starts_with("clip");
  return tiny ? "clip-tiny" + std::string(id.substr(4)) : std::string(id);
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
  // What rounds away is told by its first digits.
  if (info.source == Source::Set && *value != 0 && std::abs(*value) < 5 * std::pow(10.0, -info.digits)) return fmt::format("{:.2g}", *value);
  return fmt::format("{:.{}f}{}{}", *value, info.digits, info.unit.empty() ? "" : " ", info.unit);
}

}  // namespace quantspot::evaluation
