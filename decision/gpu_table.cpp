#include "decision/gpu_table.h"

#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <limits>

namespace quantspot::decision {
namespace {

Fit fitOf(Placement placement) {
  return placement == Placement::Together ? Fit::Together : placement == Placement::InTurn ? Fit::InTurn : Fit::Offload;
}

TableCell cellOf(const MemoryEstimate& estimate, std::int64_t memory) {
  TableCell smallest{Fit::No, std::numeric_limits<std::int64_t>::max()};
  for (const Placement placement : kPlacements) {
    const std::int64_t needs = estimate.at(placement).highest() + kGpuReserve;
    if (needs <= memory) return {fitOf(placement), needs};
    smallest.needs = std::min(smallest.needs, needs);
  }
  return smallest;
}

const char* fitText(Fit fit) {
  constexpr const char* texts[] = {"fits", "in turn", "offload", "no"};
  return texts[static_cast<std::size_t>(fit)];
}

// One column for each size as sold: the GPU of it that has least.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> least;
  for (std::size_t i = 0; i < knownGpus().size(); ++i)
    if (least.empty() || knownGpus()[i].nominal != knownGpus()[least.back()].nominal) least.push_back(i);
    else if (knownGpus()[i].memory < knownGpus()[least.back()].memory) least.back() = i;
  return least;
}

}  // namespace

std::vector<TableRow> gpuTable(const std::vector<MemoryEstimate>& estimates) {
  std::vector<TableRow> table;
  for (const MemoryEstimate& estimate : estimates) {
    TableRow& row = table.emplace_back(TableRow{estimate.precision, estimate.error, {}});
    if (!estimate.error.empty()) continue;
    for (const Hardware& gpu : knownGpus()) row.cells.push_back(cellOf(estimate, gpu.memory));
  }
  return table;
}

nlohmann::json toJson(const std::vector<TableRow>& table) {
  nlohmann::json gpus = nlohmann::json::array(), rows = nlohmann::json::array();
  for (const Hardware& gpu : knownGpus()) gpus.push_back(gpu);
  for (const TableRow& row : table) {
    nlohmann::json cells = nlohmann::json::array();
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      cells.push_back({{"gpu", knownGpus()[i].id}, {"fit", fitText(row.cells[i].fit)}, {"needs_bytes", row.cells[i].needs}});
    rows.push_back({{"precision", row.precision}, {"error", row.error}, {"cells", cells}});
  }
  return {{"gpus", gpus}, {"rows", rows}, {"gpu_reserve", kGpuReserve}};
}

std::string toText(const std::vector<TableRow>& table) {
  std::string text = fmt::format("{:<18}", "GB");
  for (const std::size_t i : sizes()) text += fmt::format("{:>13}", knownGpus()[i].nominal);
  text += "\n";
  for (const TableRow& row : table) {
    text += fmt::format("{:<18}", row.precision);
    if (!row.error.empty()) text += "  " + row.error;
    else
      for (const std::size_t i : sizes())
        text += fmt::format("{:>13}", fmt::format("{:.1f} {}", static_cast<double>(row.cells[i].needs) / (1 << 30), fitText(row.cells[i].fit)));
    text += "\n";
  }
  return text + "fits: all parts at once; in turn: one part at a time; offload: blocks or layers come and go in every step; no: not even that.\nA column is the GPU of that size with least memory; needs are in GiB.\n";
}

}  // namespace quantspot::decision
