#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

namespace quantspot::decision {

std::string gib(std::int64_t bytes) {
  const double value = static_cast<double>(bytes) / (1 << 30);
  if (std::abs(value) < 0.01) return fmt::format("{:.2g} MiB", static_cast<double>(bytes) / (1 << 20));
  return fmt::format(fmt::runtime(std::abs(value) < 1 ? "{:.2f} GiB" : "{:.1f} GiB"), value);
}

std::string seconds(double value) { return fmt::format(fmt::runtime(value < 1 ? "{:.2g} s" : value < 100 ? "{:.1f} s" : "{:.0f} s"), value); }

std::string percent(double share, int decimals) { return fmt::format("{:.{}f} %", 100 * share, decimals); }

std::string signedPercent(double share) { return (share < 0 ? "−" : "+") + percent(std::abs(share)); }

}  // namespace quantspot::decision
