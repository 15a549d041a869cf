#include "evaluation/run_costs.h"

#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>

namespace quantspot::evaluation {
namespace {

constexpr std::size_t kEnough = 12;      // cells per precision: reading all of a large store would take longer than it tells

}  // namespace

RunCosts runCosts(const Plan& plan, const Store& store, const Work& work, std::size_t workers, double price) {
  RunCosts costs{work.state().cells, work.state().finished, {}, {}, {}, 0, store.room(), {}};
  const auto left = work.left();
  double seconds = 0;
  for (std::size_t v = 0; v < plan.request().precisions.size(); ++v) {
    PrecisionCost one{plan.request().precisions[v], left.contains(v) ? left.at(v) : 0, 0, 0};
    double sum = 0, bytes = 0;
    for (const Cell& cell : plan.cells()) {
      if (cell.precision != v || one.measured == kEnough) continue;
      const auto report = store.report(cell.key);
      const auto total = report ? figureOf({{"report", *report}}, "total") : std::nullopt;
      if (!total) continue;
      ++one.measured;
      sum += *total;
      bytes += static_cast<double>(store.png(cell.key).size());
    }
    if (one.measured > 0) {
      one.seconds = sum / static_cast<double>(one.measured);
      seconds += one.seconds * static_cast<double>(one.left);
      costs.bytes += bytes / static_cast<double>(one.measured) * static_cast<double>(one.left);
    } else if (one.left > 0) {
      costs.unknown.push_back(one.precision);
    }
    costs.precisions.push_back(std::move(one));
  }
  if (!costs.unknown.empty()) return costs;
  costs.seconds = seconds / static_cast<double>(std::max<std::size_t>(workers, 1));
  if (price > 0) costs.price = seconds / 3600 * price;
  return costs;
}

std::string costsText(const RunCosts& costs, std::size_t workers, double price) {
  const std::size_t left = costs.cells - costs.finished;
  if (left == 0) return fmt::format("All {} pictures are there.", costs.cells);
  std::string text = costs.finished > 0 ? fmt::format("{} of {} pictures are there; the other {}", costs.finished, costs.cells, left) : fmt::format("{} pictures", left);
  if (!costs.seconds) return text + fmt::format(": the time is not known before one of each is drawn ({}).", fmt::join(costs.unknown, ", "));
  text += fmt::format(" take about {}", secondsText(*costs.seconds));
  if (workers > 1) text += fmt::format(" on {} workers", workers);
  if (costs.price) text += fmt::format(" ({:.2f} at {:.2f} an hour)", *costs.price, price);
  text += fmt::format(" and {} on disk", bytesText(costs.bytes));
  return text + (costs.bytes > costs.room ? fmt::format(", where only {} are free: make room first.", bytesText(costs.room)) : ".");
}

nlohmann::json costsJson(const RunCosts& costs) {
  nlohmann::json rows = nlohmann::json::array();
  for (const PrecisionCost& one : costs.precisions)
    rows.push_back({{"precision", one.precision}, {"left", one.left}, {"measured", one.measured}, {"seconds", one.measured > 0 ? nlohmann::json(one.seconds) : nlohmann::json()}});
  return {{"cells", costs.cells}, {"finished", costs.finished}, {"left", costs.cells - costs.finished},
          {"seconds", costs.seconds ? nlohmann::json(*costs.seconds) : nlohmann::json()}, {"price", costs.price ? nlohmann::json(*costs.price) : nlohmann::json()},
          {"bytes", costs.bytes}, {"free_bytes", costs.room}, {"precisions", rows}, {"unknown", costs.unknown}};
}

}  // namespace quantspot::evaluation
