#include "evaluation/html_report.h"

#include "engine/protocol/base64.h"
#include "evaluation/charts.h"
#include "evaluation/figures.h"
#include "evaluation/files.h"
#include "evaluation/report.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr const char* kStyle =
    "body{background:#fff;color:#222;font:14px/1.45 sans-serif;margin:2em auto;max-width:1100px;padding:0 1em}h1{font-size:1.5em}h2{font-size:1.15em;margin:2em 0 .4em}"
    "table{border-collapse:collapse}th,td{border-bottom:1px solid #ddd;padding:.3em .7em;text-align:left;vertical-align:top}td.n{text-align:right;white-space:nowrap}"
    "small{color:#666;display:block}td small{max-width:16em;white-space:normal}.pass{color:#1a6b2f}.fail{color:#b3261e}.lacks{color:#666}.charts{display:flex;flex-wrap:wrap;gap:1em}"
    "section{background:#777;color:#fff;padding:.6em 1em;margin:.6em 0}section h3{font-size:1em;margin:.1em 0}section p{margin:.1em 0 .6em}.row{display:flex;flex-wrap:wrap;gap:1em}"
    "figure{margin:0;max-width:12em}figure a.thumb img{width:128px;display:block;image-rendering:auto}figcaption{font-size:12px;margin-top:.3em}.close{display:none}"
    "figure:target{position:fixed;inset:0;max-width:none;background:#777;z-index:2;overflow:auto;padding:2em}figure:target a.thumb img{width:auto;image-rendering:pixelated}"
    "figure:target .close{display:inline-block;color:#fff;margin-bottom:1em}.error{color:#ffd0d0}";

std::string number(const json& value, int digits, const char* none = "–") { return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : none; }

// "23.10 (22.80 to 23.40), N = 64"; a set's figure and a mean alike.
std::string estimateText(const FigureInfo& info, const json& estimate) {
  std::string text = figureText(info, estimate["value"].is_number() ? std::optional(estimate["value"].get<double>()) : std::nullopt);
  if (estimate["ci95"].is_array())
    text += fmt::format(" ({} to {})", figureText(info, estimate["ci95"][0].get<double>()), figureText(info, estimate["ci95"][1].get<double>()));
  if (info.source != Source::Report) text += fmt::format(", N = {}", estimate.value("n", std::size_t{0}));
  return text;
}

std::string summaryHtml(const json& report) {
  const TextTable table = summaryTable(report);
  std::string html = "<table><tr>";
  for (const std::string& head : table.rows[0]) html += "<th>" + escaped(head) + "</th>";
  html += "</tr>";
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    html += fmt::format("<tr id=p{}>", i - 1);
    for (std::size_t k = 0; k < table.rows[i].size(); ++k) {
      const auto caution = table.cautions.find({i, k});
      if (caution == table.cautions.end()) html += (k == 0 ? "<td>" : "<td class=n>") + escaped(table.rows[i][k]) + "</td>";
      else html += fmt::format("<td class=\"n lacks\" title=\"{0}\">{1}<small>{0}</small></td>", escaped(caution->second), escaped(table.rows[i][k]));
    }
    html += "</tr>";
  }
  return html + "</table>";
}

std::string thresholdsHtml(const json& report) {
  std::string html = "<table><tr><th>Precision</th><th>Verdict</th><th>Why</th></tr>";
  for (const json& cell : report["judged"]) {
    const std::string verdict = cell["verdict"];
    html += fmt::format("<tr><td>{}</td><td class={}>{}</td><td>{}</td></tr>", escaped(cell["precision"].get<std::string>()),
                        verdict == "lacks data" ? "lacks" : verdict, verdict, escaped(cell["sentence"].get<std::string>()));
  }
  return html + "</table>";
}

class Pictures {
 public:
  Pictures(const std::filesystem::path& folder, std::size_t room) : folder_(folder), room_(room) {}
  // The value of a src attribute; empty when the picture cannot be read.
  std::string source(const std::string& image) {
    try {
      const Bytes png = readBytes(folder_ / image);
      if (png.size() > room_) return ++linked_, escaped(image);
      room_ -= png.size();
      return "data:image/png;base64," + protocol::toBase64(png);
    } catch (const std::runtime_error&) {
      return "";
    }
  }
  std::size_t linked() const { return linked_; }

 private:
  const std::filesystem::path& folder_;
  std::size_t room_, linked_ = 0;
};

std::string caption(const json& report, const json& sample) {
  std::string text;
  for (const FigureInfo& info : figures()) {
    const bool shown = info.source == Source::Prompt || info.source == Source::Pair || info.id == "latency" || info.id == "memory" || info.id == "weights";
    const auto value = shown ? figureOf(sample, info.id) : std::nullopt;
    if (value) text += fmt::format("{}{} {}", text.empty() ? "" : " · ", escaped(labelOf(report, info)), figureText(info, value));
    else if (info.id == "psnr" && sample["scores"].contains("psnr")) text += " · PSNR ∞ dB";
  }
  return text;
}

std::string figure(const json& report, const json& sample, std::size_t comparison, std::size_t index, Pictures& pictures) {
  const std::string name = escaped(sample["precision"].get<std::string>());
  if (sample.contains("error")) return fmt::format("<figure><p class=error>{}</p><figcaption><b>{}</b></figcaption></figure>", escaped(sample["error"].get<std::string>()), name);
  const std::string source = pictures.source(sample["image"]), id = fmt::format("i{}-{}", comparison, index);
  if (source.empty()) return fmt::format("<figure><p class=error>{} is not there</p><figcaption><b>{}</b></figcaption></figure>", escaped(sample["image"].get<std::string>()), name);
  return fmt::format("<figure id={0}><a class=close href=\"#c{1}\">back</a><a class=thumb href=\"#{0}\"><img loading=lazy alt=\"{2}\" src=\"{3}\"></a><figcaption><b>{2}</b><br>{4}</figcaption></figure>", id,
                     comparison, name, source, caption(report, sample));
}

std::string comparison(const json& report, std::size_t index, Pictures& pictures) {
  const json& comparison = report["comparisons"][index];
  const json& recipe = comparison["recipe"];
  std::string where = fmt::format("seed {}", recipe["seed"].get<std::uint64_t>());
  for (const char* key : {"steps", "width", "height"})
    if (recipe.contains(key) && recipe[key] != 0) where += fmt::format(" · {} {}", key, recipe[key].dump());
  if (comparison.contains("category")) where += " · " + escaped(comparison["category"].get<std::string>());
  std::string html = fmt::format("<section id=c{}><h3>{}</h3><p>{}</p><div class=row>", index, escaped(recipe["prompt"].get<std::string>()), where);
  for (std::size_t i = 0; i < comparison["samples"].size(); ++i) html += figure(report, comparison["samples"][i], index, i, pictures);
  return html + "</div></section>\n";
}

std::string flopsHtml(const json& report) {
  if (!report.contains("dit")) return "";
  std::string html = "<h2>Time, memory, FLOPs, FID</h2><table><tr><th>Precision</th><th>Time per picture</th><th>Peak memory</th><th>Denoiser</th><th>GFLOP per call</th><th>TFLOP per picture</th><th>FID</th></tr>";
  for (const json& row : report["dit"])
    html += fmt::format("<tr><td>{}</td><td class=n>{} s</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td>{}</td></tr>", escaped(row["precision"].get<std::string>()),
                        number(row["seconds"], 3), row["memory"].is_number() ? bytesText(row["memory"]) : "–", row["weights"].is_number() ? bytesText(row["weights"]) : "–",
                        number(row["gflop_per_call"], 2), number(row["tflop"], 3), escaped(row["quality"].get<std::string>()));
  return html + "</table>";
}

}  // namespace

TextTable summaryTable(const json& report) {
  TextTable table{{{"Precision", "Pictures"}}, {}};
  std::vector<const FigureInfo*> shown;
  for (const FigureInfo& info : figures()) {
    bool any = false;
    for (const json& row : report["summary"]) any = any || row["figures"].contains(std::string(info.id));
    if (any && info.id != "step" && info.id != "total") shown.push_back(&info);
  }
  for (const FigureInfo* info : shown) table.rows[0].push_back(labelOf(report, *info));
  for (const json& row : report["summary"]) {
    std::string drawn = row["drawn"].dump();
    if (row["failed"] > 0) drawn += fmt::format(", {} failed", row["failed"].dump());
    std::vector<std::string> cells = {row["precision"].get<std::string>() + (row["baseline"] ? " (baseline)" : ""), drawn};
    for (const FigureInfo* info : shown) {
      const auto found = row["figures"].find(std::string(info->id));
      if (found != row["figures"].end() && found->contains("caution")) table.cautions[{table.rows.size(), cells.size()}] = (*found)["caution"];
      cells.push_back(found == row["figures"].end() ? "–" : estimateText(*info, *found));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string htmlReport(const json& report, const std::filesystem::path& folder, const HtmlOptions& options) {
  std::string html = fmt::format("<!doctype html><html lang=en><meta charset=utf-8><title>QuantSpot comparison</title><style>{}</style><h1>QuantSpot comparison</h1><p>{} · {} · {} comparisons</p>\n", kStyle,
                                 escaped(report["model"].get<std::string>()), escaped(report["prompt_set"].get<std::string>()), report["comparisons"].size());
  html += "<h2>Precisions</h2><p><small>" + escaped(figuresNote(report)) + "</small></p>" + summaryHtml(report) + flopsHtml(report);
  if (!report["judged"].empty()) html += "<h2>Thresholds</h2>" + thresholdsHtml(report);
  html += "<h2>Charts</h2><div class=charts>";
  for (const Chart& chart : chartsOf(report)) {
    SvgCanvas canvas(530, 340);
    chart.draw(canvas, {0, 0, 530, 340});
    html += canvas.svg(chart.title) + "\n";
  }
  html += "</div><h2>Pictures</h2><p><small>Press a picture to see it in full size.</small></p>";
  Pictures pictures(folder, options.embedded);
  for (std::size_t i = 0; i < report["comparisons"].size(); ++i) html += comparison(report, i, pictures);
  if (pictures.linked() > 0) html += fmt::format("<p><small>{} pictures are not in this file; they lie beside it.</small></p>", pictures.linked());
  return html + "</html>\n";
}

}  // namespace quantspot::evaluation
