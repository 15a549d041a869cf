#include "evaluation/pdf_report.h"

#include "evaluation/charts.h"
#include "evaluation/figures.h"
#include "evaluation/files.h"
#include "evaluation/html_report.h"
#include "evaluation/pdf_canvas.h"
#include "evaluation/report.h"

#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <algorithm>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr double kWidth = 595, kHeight = 842, kMargin = 40;

// Text flows down, and over to the next page.
class Pages {
 public:
  explicit Pages(PdfCanvas& canvas) : canvas_(canvas) {}

  void heading(const std::string& text, double size) {
    need(size * 2.2);
    y_ += size * 1.6;
    canvas_.text({kMargin, y_}, text, {.size = size, .bold = true});
    y_ += size * 0.5;
  }
  void paragraph(const std::string& text, double size = 9, Color color = {0.2, 0.2, 0.2}, double indent = 0) {
    for (const std::string& line : wrapped(text, size, kWidth - 2 * kMargin - indent)) {
      need(size * 1.35);
      y_ += size * 1.35;
      canvas_.text({kMargin + indent, y_}, line, {.size = size, .color = color});
    }
  }
  // Room for something as high; where it is.
  Box take(double height) {
    need(height);
    const Box box{kMargin, y_, kWidth - 2 * kMargin, height};
    y_ += height;
    return box;
  }
  PdfCanvas& canvas() { return canvas_; }
  std::vector<std::string> wrapped(const std::string& text, double size, double width) const {
    std::vector<std::string> lines(1);
    for (std::size_t from = 0; from < text.size();) {
      const auto end = std::min(text.find(' ', from), text.size());
      const std::string word = text.substr(from, end - from), longer = lines.back().empty() ? word : lines.back() + " " + word;
      if (canvas_.textWidth(longer, size) > width && !lines.back().empty()) lines.push_back(word);
      else lines.back() = longer;
      from = end + 1;
    }
    return lines;
  }

 private:
  void need(double height) {
    if (y_ + height <= kHeight - kMargin) return;
    canvas_.nextPage();
    y_ = kMargin;
  }

  PdfCanvas& canvas_;
  double y_ = kMargin;
};

// A figure per row and a precision per column would not fit long names; a block per precision does.
void drawSummary(Pages& pages, const json& report) {
  const TextTable table = summaryTable(report);
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    pages.heading(table.rows[i][0], 10);
    std::string line;
    for (std::size_t k = 1; k < table.rows[i].size(); ++k) line += fmt::format("{}{}: {}", line.empty() ? "" : "  ·  ", table.rows[0][k], table.rows[i][k]);
    pages.paragraph(line);
  }
}

void drawThresholds(Pages& pages, const json& report) {
  if (report["judged"].empty()) return;
  pages.heading("Thresholds", 13);
  std::string last;
  for (const json& cell : report["judged"]) {
    if (cell["precision"] != last) pages.heading(cell["precision"], 10);
    last = cell["precision"];
    const std::string verdict = cell["verdict"];
    pages.paragraph(cell["sentence"], 9, verdict == "pass" ? Color{0.1, 0.42, 0.18} : verdict == "fail" ? Color{0.7, 0.15, 0.12} : Color{0.4, 0.4, 0.4}, 8);
  }
}

void drawPictures(Pages& pages, const json& report, const std::filesystem::path& folder, std::size_t most) {
  const auto count = std::min(most, report["comparisons"].size());
  pages.heading("Pictures", 13);
  if (count < report["comparisons"].size()) pages.paragraph(fmt::format("The first {} of {} comparisons; report.html has all.", count, report["comparisons"].size()));
  constexpr double kSide = 84, kGap = 8;
  const auto across = static_cast<std::size_t>((kWidth - 2 * kMargin + kGap) / (kSide + kGap));
  for (std::size_t c = 0; c < count; ++c) {
    const json& comparison = report["comparisons"][c];
    const json& samples = comparison["samples"];
    const std::size_t rows = (samples.size() + across - 1) / across;
    const Box box = pages.take(16 + static_cast<double>(rows) * (kSide + 16));
    pages.canvas().text({box.x, box.y + 12}, fmt::format("{}, seed {}", comparison["recipe"]["prompt"].get<std::string>(), comparison["recipe"]["seed"].get<std::uint64_t>()), {.size = 9, .bold = true});
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const Box place{box.x + static_cast<double>(i % across) * (kSide + kGap), box.y + 16 + static_cast<double>(i / across) * (kSide + 16), kSide, kSide};
      bool shown = false;
      try {
        shown = samples[i].contains("image") && pages.canvas().picture(readBytes(folder / samples[i]["image"].get<std::string>()), place);
      } catch (const std::runtime_error&) {}
      if (!shown) pages.canvas().text({place.x, place.y + kSide / 2}, samples[i].contains("error") ? "failed" : "not there", {.size = 8});
      pages.canvas().text({place.x, place.y + kSide + 9}, samples[i]["precision"].get<std::string>().substr(0, 20), {.size = 7.5});
    }
  }
}

}  // namespace

void writePdf(const json& report, const std::filesystem::path& folder, const std::filesystem::path& out, const PdfOptions& options) {
  const std::filesystem::path temporary = out.string() + "." + std::to_string(::getpid()) + ".tmp";
  try {
    PdfCanvas canvas(temporary, kWidth, kHeight);
    Pages pages(canvas);
    pages.heading("QuantSpot comparison", 18);
    pages.paragraph(fmt::format("{} · {} · {} comparisons", report["model"].get<std::string>(), report["prompt_set"].get<std::string>(), report["comparisons"].size()));
    pages.paragraph(figuresNote(report), 8, {0.4, 0.4, 0.4});
    pages.heading("Precisions", 13);
    drawSummary(pages, report);
    drawThresholds(pages, report);
    pages.heading("Charts", 13);
    for (const Chart& chart : chartsOf(report)) {
      Box box = pages.take(310);
      box.height -= 10;
      chart.draw(canvas, box);
    }
    drawPictures(pages, report, folder, options.comparisons);
    canvas.finish(out);
    std::filesystem::rename(temporary, out);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

}  // namespace quantspot::evaluation
