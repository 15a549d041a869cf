#include "evaluation/charts.h"

#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr std::size_t kFewPoints = 32;     // of a line: more stand too close for marks and intervals
constexpr double kMiB = 1024.0 * 1024.0;   // axes in whole units have round ticks

template <class Names>
std::size_t placeOf(const Names& names, const json& name) {
  return static_cast<std::size_t>(std::ranges::find(names, name.get_ref<const std::string&>()) - names.begin());
}

std::vector<std::string> precisionsOf(const json& report) { return report["precisions"].get<std::vector<std::string>>(); }

const json* estimateOf(const json& summary, const std::string& figure) {
  const auto found = summary["figures"].find(figure);
  return found == summary["figures"].end() || !(*found)["value"].is_number() ? nullptr : &*found;
}

std::string label(const json& report, const std::string& figure) {
  const FigureInfo* info = figureInfo(figure);
  if (!info) return figure;
  const std::string name = labelOf(report, *info);
  return info->unit.empty() || info->unit == "B" ? name : fmt::format("{} ({})", name, info->unit);
}

struct Mark { std::string precision; std::size_t index = 0; double quality = 0, memory = 0, latency = 0; bool front = false; const json* interval = nullptr; };

std::vector<Mark> marksOf(const json& report, const std::string& quality) {
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < report["summary"].size(); ++i) {
    const json& row = report["summary"][i];
    const json *q = estimateOf(row, quality), *memory = estimateOf(row, "memory"), *latency = estimateOf(row, "latency");
    if (!q || !memory || !latency) continue;
    Mark mark{row["precision"], i, (*q)["value"], (*memory)["value"], (*latency)["value"], false, &(*q)["ci95"]};
    for (const json& point : report["pareto"]["points"])
      if (point["precision"] == row["precision"]) mark.front = point["front"];
    marks.push_back(std::move(mark));
  }
  return marks;
}

void drawFront(Plot& plot, std::vector<Mark> marks) {
  std::erase_if(marks, [](const Mark& mark) { return !mark.front; });
  std::ranges::sort(marks, {}, &Mark::memory);
  for (std::size_t i = 1; i < marks.size(); ++i)
    plot.canvas().line(plot.at(marks[i - 1].memory / kMiB, marks[i - 1].quality), plot.at(marks[i].memory / kMiB, marks[i].quality), {0.4, 0.4, 0.4}, 1, true);
}

void drawQuality(Canvas& canvas, Box box, const json& report, const std::string& quality) {
  const auto marks = marksOf(report, quality);
  const auto names = precisionsOf(report);
  const auto colors = precisionColors(names);
  std::vector<double> memory, values;
  double slowest = 0;
  for (const Mark& mark : marks) {
    memory.push_back(mark.memory / kMiB);
    values.push_back(mark.quality);
    if (mark.interval->is_array()) values.insert(values.end(), {(*mark.interval)[0], (*mark.interval)[1]});
    slowest = std::max(slowest, mark.latency);
  }
  Plot plot(canvas, box, label(report, quality) + " against peak memory (area: time; dashed: Pareto front)",
            axisOf("peak memory, MiB", memory, false),
            axisOf(label(report, quality), values, false));
  drawFront(plot, marks);
  for (const Mark& mark : marks) {
    const Color color = colors[mark.index];
    canvas.beginLink(fmt::format("#p{}", mark.index), fmt::format("{}: {} {:.4g}, {}, {}", mark.precision, label(report, quality), mark.quality,
                                                                  bytesText(mark.memory), secondsText(mark.latency)));
    if (mark.interval->is_array()) plot.whisker(mark.memory / kMiB, (*mark.interval)[0], (*mark.interval)[1], color);
    canvas.circle(plot.at(mark.memory / kMiB, mark.quality), 3 + 6 * std::sqrt(mark.latency / slowest), color, !mark.front);
    canvas.endLink();
  }
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    const auto mark = std::ranges::find(marks, name, &Mark::precision);
    shown.push_back(mark == marks.end() ? name : fmt::format("{}, {}", name, secondsText(mark->latency)));
  }
  plot.legend(shown, colors);
}

// Bars of each category beside one another, one per precision.
void drawCategories(Canvas& canvas, Box box, const json& report, const std::string& figure) {
  const auto names = precisionsOf(report);
  const auto colors = precisionColors(names);
  std::vector<std::string> categories;
  std::vector<double> values;
  for (const json& row : report["categories"]) {
    if (row["figure"] != figure || !row["value"].is_number()) continue;
    if (placeOf(categories, row["category"]) == categories.size()) categories.push_back(row["category"]);
    values.push_back(row["value"]);
    if (row["ci95"].is_array()) values.insert(values.end(), {row["ci95"][0], row["ci95"][1]});
  }
  Plot plot(canvas, box, label(report, figure) + " by category", {"", 0, static_cast<double>(categories.size()), {}},
            axisOf(label(report, figure), values, true), false);
  const double width = 0.8 / static_cast<double>(names.size());
  for (const json& row : report["categories"]) {
    if (row["figure"] != figure || !row["value"].is_number()) continue;
    const auto place = static_cast<double>(placeOf(categories, row["category"]));
    const auto index = placeOf(names, row["precision"]);
    const double from = place + 0.1 + width * static_cast<double>(index), value = row["value"];
    const Point a = plot.at(from, std::max(value, 0.0)), b = plot.at(from + width * 0.92, std::min(value, 0.0));
    canvas.beginLink("", fmt::format("{}, {}: {:.4g} (N = {})", row["category"].get<std::string>(), names[index], value, row["n"].get<std::size_t>()));
    canvas.fill({a.x, a.y, b.x - a.x, b.y - a.y}, colors[index]);
    canvas.endLink();
    if (row["ci95"].is_array()) plot.whisker(from + width * 0.46, row["ci95"][0], row["ci95"][1], {0.25, 0.25, 0.25});
  }
  for (std::size_t i = 0; i < categories.size(); ++i) {
    const Point at = plot.at(static_cast<double>(i) + 0.5, 0);
    canvas.text({at.x, plot.area().y + plot.area().height + (i % 2 == 0 ? 12.0 : 22.0)}, categories[i], {.size = 8, .anchor = Anchor::Middle});
  }
  plot.legend(names, colors);
}

struct PromptMark { std::size_t comparison, precision; double x, y; };

// Of each comparison: the baseline's value across, the precision's upwards; of a figure that the baseline has none of: its number across.
std::vector<PromptMark> promptMarks(const json& report, const std::string& figure, bool paired) {
  const auto names = precisionsOf(report);
  std::vector<PromptMark> marks;
  for (std::size_t c = 0; c < report["comparisons"].size(); ++c) {
    std::map<std::string, double> values;
    for (const json& sample : report["comparisons"][c]["samples"])
      if (const auto value = figureOf(sample, figure)) values[sample["precision"]] = *value;
    for (std::size_t v = 1; v < names.size(); ++v) {
      if (!values.contains(names[v]) || (!paired && !values.contains(names[0]))) continue;
      marks.push_back({c, v, paired ? static_cast<double>(c + 1) : values[names[0]], values[names[v]]});
    }
  }
  return marks;
}

void drawPrompts(Canvas& canvas, Box box, const json& report, const std::string& figure) {
  const FigureInfo* info = figureInfo(figure);
  const bool paired = info && info->source == Source::Pair;
  const auto names = precisionsOf(report);
  const auto colors = precisionColors(names);
  const auto marks = promptMarks(report, figure, paired);
  std::vector<double> xs, ys;
  for (const PromptMark& mark : marks) xs.push_back(mark.x), ys.push_back(mark.y);
  if (!paired) xs.insert(xs.end(), ys.begin(), ys.end()), ys = xs;   // one scale for both
  Plot plot(canvas, box, label(report, figure) + " of each prompt and seed", axisOf(paired ? "comparison" : names[0], xs, false),
            axisOf(paired ? label(report, figure) : "the others", ys, false));
  if (!paired && !xs.empty()) {
    const auto [low, high] = std::ranges::minmax(xs);
    canvas.line(plot.at(low, low), plot.at(high, high), {0.6, 0.6, 0.6}, 1, true);
  }
  for (const PromptMark& mark : marks) {
    const json& recipe = report["comparisons"][mark.comparison]["recipe"];
    canvas.beginLink(fmt::format("#c{}", mark.comparison), fmt::format("{}, seed {}, {}: {:.4g}", recipe["prompt"].get<std::string>(), recipe["seed"].get<std::uint64_t>(), names[mark.precision], mark.y));
    canvas.circle(plot.at(mark.x, mark.y), 2.6, colors[mark.precision], false);
    canvas.endLink();
  }
  plot.legend({names.begin() + 1, names.end()}, {colors.begin() + 1, colors.end()});
}

struct Line { std::size_t precision; std::vector<Point> points; std::vector<std::array<double, 3>> intervals = {}; };   // intervals: x, low, high

void drawLines(Canvas& canvas, Box box, const json& report, const std::string& title, const std::vector<Line>& lines, const std::string& x, const std::string& y) {
  const auto names = precisionsOf(report);
  const auto colors = precisionColors(names);
  std::vector<double> xs, ys;
  for (const Line& line : lines)
    for (const Point& p : line.points) xs.push_back(p.x), ys.push_back(p.y);
  for (const Line& line : lines)
    for (const auto& [at, low, high] : line.intervals) ys.insert(ys.end(), {low, high});
  Plot plot(canvas, box, title, axisOf(x, xs, false), axisOf(y, ys, true));
  for (const Line& line : lines) {
    std::vector<Point> points;
    for (const Point& p : line.points) points.push_back(plot.at(p.x, p.y));
    canvas.beginLink("", names[line.precision]);
    canvas.polyline(points, colors[line.precision]);
    if (points.size() <= kFewPoints)
      for (const auto& [at, low, high] : line.intervals) plot.whisker(at, low, high, colors[line.precision]);
    if (points.size() <= kFewPoints)
      for (const Point& p : points) canvas.circle(p, 1.8, colors[line.precision], false);
    canvas.endLink();
  }
  plot.legend(names, colors);
}

std::vector<Line> linesOf(const json& report, const char* rows, const char* place) {
  const auto names = precisionsOf(report);
  std::vector<Line> lines;
  for (std::size_t v = 0; v < names.size(); ++v) {
    Line line{v, {}};
    for (const json& row : report[rows])
      if (row["precision"] == names[v] && row["value"].is_number()) {
        line.points.push_back({row[place], row["value"]});
        if (row["ci95"].is_array()) line.intervals.push_back({row[place], row["ci95"][0], row["ci95"][1]});
      }
    if (!line.points.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Line> memoryLines(const json& report) {
  const auto names = precisionsOf(report);
  std::vector<Line> lines;
  for (const json& trace : report["memory_over_time"]) {
    Line line{placeOf(names, trace["precision"]), {}};
    for (const json& point : trace["points"]) line.points.push_back({point[0], (point[1].get<double>() - trace["floor"].get<double>()) / kMiB});
    if (!line.points.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<Chart> chartsOf(const json& report) {
  std::vector<Chart> charts;
  const std::string quality = report["pareto"]["quality"];
  if (!quality.empty() && !marksOf(report, quality).empty())
    charts.push_back({"quality", "Quality, memory, time", [&report, quality](Canvas& c, Box b) { drawQuality(c, b, report, quality); }});
  if (!report["categories"].empty() && !quality.empty())
    charts.push_back({"categories", "Categories", [&report, quality](Canvas& c, Box b) { drawCategories(c, b, report, quality); }});
  if (!quality.empty() && report["precisions"].size() > 1)
    charts.push_back({"prompts", "Prompts", [&report, quality](Canvas& c, Box b) { drawPrompts(c, b, report, quality); }});
  if (!report["step_seconds"].empty())
    charts.push_back({"steps", "Time of each step", [&report](Canvas& c, Box b) { drawLines(c, b, report, "Time of each step", linesOf(report, "step_seconds", "step"), "step", "seconds"); }});
  if (!report["memory_over_time"].empty())
    charts.push_back({"memory", "Memory over time", [&report](Canvas& c, Box b) {
                        drawLines(c, b, report, "Memory over time, above what the engine had before (one picture)", memoryLines(report), "seconds", "MiB");
                      }});
  if (!report["growth"].empty())
    charts.push_back({"growth", "Error growth", [&report](Canvas& c, Box b) {
                        drawLines(c, b, report, "Error of the latents against the baseline", linesOf(report, "growth", "call"), "call of the denoiser", "relative L2 error");
                      }});
  return charts;
}

}  // namespace quantspot::evaluation
