// Precision × GPU: what fits where.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision {

enum class Fit { Together, InTurn, Offload, No };
struct TableCell {
  Fit fit = Fit::No;
  std::int64_t needs = 0;                // bytes, with the reserve of a GPU, in the fastest placement that fits, else in the smallest
};
struct TableRow {
  std::string precision, error;          // error: why there is no estimate
  std::vector<TableCell> cells;          // in the order of knownGpus()
};
std::vector<TableRow> gpuTable(const std::vector<MemoryEstimate>& estimates);

nlohmann::json toJson(const std::vector<TableRow>& table);
std::string toText(const std::vector<TableRow>& table);

}  // namespace quantspot::decision
