// Draws the cells of an evaluation in this process.
#pragma once

#include "app/quantspot-cli/commands.h"
#include "evaluation/run_costs.h"
#include "evaluation/work.h"

#include <map>
#include <string>
#include <vector>

namespace quantspot::cli {

class CellDrawer {
 public:
  CellDrawer(service::Service& service, const CompareOptions& options, const evaluation::Plan& plan, evaluation::Store& store, evaluation::Work& work)
      : service_(service), options_(options), plan_(plan), store_(store), work_(work) {}

  // Until every cell is finished or failed. `wait`: also for those that others draw. All three throw evaluation::WriteError when the disk takes no more:
  // what was not kept is nobody's failure and is drawn by the next run.
  void drawAll(bool wait);
  // The baseline's first cell a second time, where that is not there; see evaluation/noise_floor.h. A failure is told and kept.
  void drawRepeat();
  // One cell of each of these precisions, to know their time.
  void drawPilot(const std::vector<std::string>& precisions);

 private:
  void draw(const std::vector<evaluation::Cell>& cells);
  void keep(const evaluation::Cell& cell, const pipeline::Sample& sample);
  void fail(const evaluation::Cell& cell);
  protocol::GenerateParams paramsOf(const evaluation::Cell& cell) const;
  std::string title(const std::vector<evaluation::Cell>& cells) const;

  service::Service& service_;
  const CompareOptions& options_;
  const evaluation::Plan& plan_;
  evaluation::Store& store_;
  evaluation::Work& work_;
  std::map<std::size_t, std::pair<double, std::size_t>> took_;   // precision → seconds and cells of this run
};

}  // namespace quantspot::cli
