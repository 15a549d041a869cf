// What is measured of a cell: the one list that tables, charts, thresholds and exports go by. One line adds a metric.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quantspot::evaluation {

enum class Better { Higher, Lower };
// Report: from the engine's report of the cell. Prompt, Pair: a score of metrics/score, against the prompt or against the baseline's
// picture. Set: of all pictures of a precision together (FID), one number without cells.
enum class Source { Report, Prompt, Pair, Set };

struct FigureInfo {
  std::string_view id, label, unit;
  Better better;
  Source source;
  int digits;                // after the point, in tables
};

// In display order.
std::span<const FigureInfo> figures();
const FigureInfo* figureInfo(std::string_view id);
// Of a finished cell as report.json holds it ({"scores", "report"}); nothing when it was not measured.
std::optional<double> figureOf(const nlohmann::json& sample, std::string_view id);

// Times and memory are those of the pass, which a batch shares: seconds are divided by it.
double latencySeconds(const nlohmann::json& report);                 // encode + steps + decode
double memoryBytes(const nlohmann::json& report);                    // highest peak, of the accelerator or of the host above its floor
double denoiserBytes(const nlohmann::json& report);
std::string_view denoiserOf(const nlohmann::json& weights);          // "unet" or "transformer"

inline constexpr std::size_t kFewForFid = 2048;
// Why a figure of so many pictures must not be trusted; empty where it may.
std::string cautionOf(std::string_view id, std::size_t n);
// As tables name it: with what stood in for real weights ("CLIP-tiny score") where the report says so.
std::string labelOf(const nlohmann::json& report, const FigureInfo& info);

// "12.34 dB", "318 MiB", "–" for nothing; bytes in binary units.
std::string figureText(const FigureInfo& info, std::optional<double> value);
std::string bytesText(double bytes);
std::string secondsText(double seconds);                             // "0.93 s", "4 min 12 s", "3 h 20 min"

}  // namespace quantspot::evaluation
