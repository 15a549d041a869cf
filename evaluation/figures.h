// What is measured of a cell: the one list that tables, charts, thresholds and exports go by. One line adds a metric.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
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
double latencySeconds(const nlohmann::json& report);                 // encode + steps + decode; of pictures made elsewhere all
double memoryBytes(const nlohmann::json& report);                    // highest peak, of the accelerator or of the host above its floor
double denoiserBytes(const nlohmann::json& report);
std::string_view denoiserOf(const nlohmann::json& weights);          // "unet" or "transformer"

inline constexpr std::size_t kFewForFid = 2048;
// Why a figure of so many pictures must not be trusted; empty where it may.
std::string cautionOf(std::string_view id, std::size_t n);
// The one place that names a score by what gave it: the label that the engine told with it ("CLIP-tiny", "CLIP") as tables write it ("CLIP-tiny
// score"). An empty label: the figure's own name.
std::string scoreLabel(std::string_view id, const std::string& given);
using Labels = std::map<std::string, std::string>;                  // figure → name, where something smaller stood in
// Keeps the name of what gave a score, unless it is the figure's own.
void nameScore(Labels& labels, const std::string& id, const std::string& given);
// A figure's name, as labels, or "labels" of report.json, tell it.
std::string labelOf(const Labels& labels, std::string_view id);
std::string labelOf(const nlohmann::json& report, const FigureInfo& info);
// Its id in tables of numbers: "clip-tiny" where CLIP-tiny stood in, as "fd-clip-tiny" is.
std::string columnOf(const nlohmann::json& report, std::string_view id);

// "12.34 dB", "318 MiB", "–" for nothing; bytes in binary units.
std::string figureText(const FigureInfo& info, std::optional<double> value);
std::string bytesText(double bytes);
std::string secondsText(double seconds);                             // "0.93 s", "4 min 12 s", "3 h 20 min"

}  // namespace quantspot::evaluation
