#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <filesystem>

namespace quantspot::decision {

std::string gib(std::int64_t bytes) {
  const double value = static_cast<double>(bytes) / (1 << 30);
  const double small = static_cast<double>(bytes) / (1 << 20);
  if (std::abs(value) < 1) return fmt::format(fmt::runtime(std::abs(small) < 10 ? "{:.2g} MiB" : "{:.0f} MiB"), small);
  return fmt::format("{:.1f} GiB", value);
}

std::string seconds(double value) { return fmt::format(fmt::runtime(value < 1 ? "{:.2g} s" : value < 100 ? "{:.1f} s" : "{:.0f} s"), value); }

std::string percent(double share, int decimals) { return fmt::format("{:.{}f} %", 100 * share, decimals); }

std::string signedPercent(double share) {
  const std::string size = percent(std::abs(share));
  return size == percent(0) ? size : (share < 0 ? "−" : "+") + size;   // no sign before what is shown as nothing
}

std::string sizeText(int width, int height) { return width > 0 ? fmt::format("{} × {}", width, height) : "the model's own size"; }

std::string gradeText(const Figure& rating) {
  const std::string interval = rating.ci95 ? fmt::format(" ({:.1f} to {:.1f})", rating.ci95->low, rating.ci95->high) : "";
  return fmt::format("{:.1f} of 5{}", rating.value, interval);
}

std::string originText(const Figure& figure) {
  const std::filesystem::path path = figure.from;
  const bool file = path.has_extension() && path.has_parent_path();
  std::string text = fmt::format("N = {}", figure.n);
  if (!figure.from.empty()) text += ", " + (file ? path.filename().string() + " of " + path.parent_path().filename().string() : figure.from);
  return figure.date.empty() ? text : text + ", " + figure.date;
}

}  // namespace quantspot::decision
