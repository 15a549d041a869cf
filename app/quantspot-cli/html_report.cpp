#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "engine/protocol/base64.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::cli {
namespace {

using nlohmann::json;

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string number(const json& value, int digits, const char* infinite = "–") {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : infinite;
}

std::string mebibytes(const json& bytes) { return bytes.is_number() ? fmt::format("{:.1f} MiB", bytes.get<double>() / (1 << 20)) : "–"; }

double highestPeak(const json& peaks) {
  double highest = 0;
  for (const auto& peak : peaks) highest = std::max(highest, peak.get<double>());
  return highest;
}

std::string figure(const json& sample, const std::filesystem::path& folder) {
  const std::string name = escape(sample["precision"].get<std::string>());
  if (sample.contains("error")) return fmt::format("<figure><p class=error>{}</p><figcaption><b>{}</b></figcaption></figure>", escape(sample["error"].get<std::string>()), name);
  const json& report = sample["report"];
  const json& scores = sample["scores"];
  std::string quality = "CLIP " + number(scores.value("clip", json()), 2);
  if (scores.contains("psnr")) quality += " · PSNR " + number(scores["psnr"], 2, "∞") + " dB · SSIM " + number(scores["ssim"], 4);
  const std::string png = protocol::toBase64(readFile(folder / sample["image"].get<std::string>()));
  const char* const denoiser = report["weights"].contains("unet") ? "unet" : "transformer";
  return fmt::format("<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption><b>{0}</b><br>{2}<br>{6} {3} · peak {4} · {5} s</figcaption></figure>",
                     name, png, quality, mebibytes(report["weights"][denoiser]["bytes"]), mebibytes(highestPeak(report["peak_bytes"])),
                     number(report["seconds"]["total"], 2), denoiser);
}

std::string section(const json& comparison, const std::filesystem::path& folder) {
  const json& recipe = comparison["recipe"];
  std::string html = fmt::format("<section><h2>{}</h2><p>seed {} · {} steps · {} × {}</p><div class=row>", escape(recipe["prompt"].get<std::string>()),
                                 recipe["seed"].get<std::uint64_t>(), recipe["steps"].get<int>(), recipe["width"].get<int>(), recipe["height"].get<int>());
  for (const json& sample : comparison["samples"]) html += figure(sample, folder);
  return html + "</div></section>\n";
}

}  // namespace

std::string htmlReport(const json& report, const std::filesystem::path& folder) {
  std::string html =
      "<!doctype html><html lang=en><meta charset=utf-8><title>QuantSpot comparison</title><style>"
      "body{background:#777;color:#fff;font:14px/1.4 sans-serif;margin:2em}h2{font-size:1.1em;margin:1.5em 0 0}.row{display:flex;flex-wrap:wrap;gap:1em}"
      "figure{margin:0}img{display:block;image-rendering:pixelated}figcaption{margin-top:.4em}.error{width:16em;color:#ffd0d0}</style>"
      "<h1>QuantSpot comparison</h1><p>PSNR and SSIM against the first precision; peak is the process's resident memory.</p>\n";
  for (const json& comparison : report["comparisons"]) html += section(comparison, folder);
  return html + "</html>\n";
}

}  // namespace quantspot::cli
