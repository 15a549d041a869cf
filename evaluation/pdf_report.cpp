#include "evaluation/pdf_report.h"

#include "evaluation/charts.h"
#include "evaluation/figures.h"
#include "evaluation/files.h"
#include "evaluation/html_report.h"
#include "evaluation/paper_canvas.h"
#include "evaluation/report.h"
#include "paper/flow.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr Color kWords{0.2, 0.2, 0.2}, kQuiet{0.4, 0.4, 0.4};

void words(paper::Flow& flow, const std::string& text, double size = 9, Color color = kWords, double indent = 0) {
  flow.paragraph(text, {.size = size, .bold = false, .color = onPaper(color)}, 2, indent);
}

// A figure per row and a precision per column would not fit long names; a block per precision does.
void drawSummary(paper::Flow& flow, const json& report) {
  const TextTable table = summaryTable(report);
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    flow.heading(table.rows[i][0], 10, 20, false);
    std::string line;
    for (std::size_t k = 1; k < table.rows[i].size(); ++k)
      line += fmt::format("{}{}: {}", line.empty() ? "" : "  ·  ", table.rows[0][k], table.rows[i][k]);
    words(flow, line);
    for (const auto& [at, caution] : table.cautions)
      if (at.first == i) words(flow, fmt::format("{}: {}.", table.rows[0][at.second], caution), 8, kQuiet, 8);
  }
}

void drawThresholds(paper::Flow& flow, const json& report) {
  if (report["judged"].empty()) return;
  flow.heading("Thresholds", 13);
  std::string last;
  for (const json& cell : report["judged"]) {
    if (cell["precision"] != last) flow.heading(cell["precision"].get<std::string>(), 10, 20, false);
    last = cell["precision"];
    const std::string verdict = cell["verdict"];
    words(flow, cell["sentence"], 9, verdict == "pass" ? Color{0.1, 0.42, 0.18} : verdict == "fail" ? Color{0.7, 0.15, 0.12} : kQuiet, 8);
  }
}

constexpr double kSide = 91, kGap = 10, kRow = kSide + 16;   // points
constexpr std::size_t kAcross = 5;

void drawSamples(paper::Flow& flow, const json& samples, const std::filesystem::path& folder) {
  const paper::Style label{.size = 7.5, .bold = false, .color = onPaper(kWords)};
  paper::Box row;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i % kAcross == 0) row = flow.take(kRow);
    const paper::Box place{row.x + static_cast<double>(i % kAcross) * (kSide + kGap), row.y, kSide, kSide};
    bool shown = false;
    try {
      if (samples[i].contains("image")) {
        const std::string image = samples[i]["image"];
        shown = flow.document().picture(readBytes(folder / image), place);
        if (shown) flow.document().link(place, image);
      }
    } catch (const std::runtime_error&) {
    }
    if (!shown) flow.document().text({place.x, place.y + kSide / 2}, samples[i].contains("error") ? "failed" : "not there", label);
    flow.document().text({place.x, place.y + kSide + 9}, samples[i]["precision"].get<std::string>().substr(0, 20), label);
  }
}

void drawPictures(paper::Flow& flow, const json& report, const std::filesystem::path& folder, std::size_t most) {
  const auto count = std::min(most, report["comparisons"].size());
  flow.heading("Pictures", 13);
  if (count < report["comparisons"].size())
    words(flow, fmt::format("The first {} of {} comparisons; report.html has all.", count, report["comparisons"].size()));
  for (std::size_t c = 0; c < count; ++c) {
    const json& comparison = report["comparisons"][c];
    const std::size_t rows = (comparison["samples"].size() + kAcross - 1) / kAcross;
    const double height = static_cast<double>(std::min<std::size_t>(rows, 1)) * kRow;
    const std::string prompt = comparison["recipe"]["prompt"];
    flow.heading(fmt::format("{}, seed {}", prompt, comparison["recipe"]["seed"].get<std::uint64_t>()), 9, height, false);
    drawSamples(flow, comparison["samples"], folder);
  }
}

}  // namespace

void writePdf(const json& report, const std::filesystem::path& folder, const std::filesystem::path& out, const PdfOptions& options) {
  paper::Flow flow("QuantSpot comparison");
  flow.heading("QuantSpot comparison", 18, 40, false);
  words(flow, fmt::format("{} · {} · {} comparisons", report["model"].get<std::string>(), report["prompt_set"].get<std::string>(),
                          report["comparisons"].size()));
  words(flow, figuresNote(report), 8, kQuiet);
  flow.heading("Precisions", 13);
  drawSummary(flow, report);
  drawThresholds(flow, report);
  flow.heading("Charts", 13, 310);
  for (const Chart& chart : chartsOf(report)) {
    const paper::Box box = flow.take(310);
    PaperCanvas canvas(flow.document());
    chart.draw(canvas, {box.x, box.y, box.width, box.height - 10});
  }
  drawPictures(flow, report, folder, options.comparisons);
  writeWhole(out, flow.bytes());
}

}  // namespace quantspot::evaluation
