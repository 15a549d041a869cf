// How long an evaluation takes and what it costs, from cells that were drawn: never from a guess.
#pragma once

#include "evaluation/plan.h"
#include "evaluation/store.h"
#include "evaluation/work.h"

#include <optional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct PrecisionCost {
  std::string precision;
  std::size_t left = 0, measured = 0;    // cells to draw; cells that the time is from
  double seconds = 0;                    // of one cell, with loading
};

struct RunCosts {
  std::size_t cells = 0, finished = 0;
  std::vector<PrecisionCost> precisions;
  std::optional<double> seconds;         // of all that is left, divided by the workers; absent while a precision was never drawn
  std::optional<double> price;           // seconds of all workers at the price of an hour
  double bytes = 0;                      // on disk, of what is left
  double room = 0;                       // bytes free there
  std::vector<std::string> unknown;      // precisions without a drawn cell: one of each is the pilot
};

// `price`: of one worker's hour; 0: not asked for.
RunCosts runCosts(const Plan& plan, const Store& store, const Work& work, std::size_t workers, double price = 0);
// "48 of 320 pictures are there; the other 272 take about 12 min on 2 workers (0.31 at 1.5 an hour) and 40 MiB on disk."
std::string costsText(const RunCosts& costs, std::size_t workers, double price = 0);
nlohmann::json costsJson(const RunCosts& costs);

}  // namespace quantspot::evaluation
