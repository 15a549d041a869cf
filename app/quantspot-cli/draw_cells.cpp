#include "app/quantspot-cli/draw_cells.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/pipeline/png.h"
#include "engine/pipeline/report.h"
#include "engine/service/errors.h"
#include "evaluation/figures.h"
#include "evaluation/noise_floor.h"

#include <spdlog/fmt/fmt.h>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace quantspot::cli {
namespace {

using evaluation::Cell;

evaluation::Bytes bytesOf(const std::vector<at::Tensor>& tensors) {
  evaluation::Bytes all;
  for (const at::Tensor& one : tensors) {
    const at::Tensor values = one.contiguous();
    const auto* begin = static_cast<const std::uint8_t*>(values.data_ptr());
    all.insert(all.end(), begin, begin + values.nbytes());
  }
  return all;
}

}  // namespace

protocol::GenerateParams CellDrawer::paramsOf(const Cell& cell) const {
  protocol::GenerateParams params = options_.base;
  params.precision = plan_.request().precisions[cell.precision];
  params.recipe.prompt = plan_.request().prompts.prompts[cell.prompt].text;
  params.recipe.seed = plan_.request().seeds[cell.seed];
  return params;
}

// What is left at the mean of what this run has drawn; nothing until each precision that is left has been.
std::string CellDrawer::title(const std::vector<Cell>& cells) const {
  std::string text = fmt::format("{}/{} {}", work_.state().finished + work_.state().failed, work_.state().cells, plan_.request().precisions[cells[0].precision]);
  double seconds = 0;
  for (const auto& [precision, left] : work_.left()) {
    const auto took = took_.find(precision);
    if (took == took_.end()) return text;
    seconds += took->second.first / static_cast<double>(took->second.second) * static_cast<double>(left);
  }
  return text + fmt::format(" · {} left", evaluation::secondsText(seconds / static_cast<double>(options_.workers)));
}

void CellDrawer::keep(const Cell& cell, const pipeline::Sample& sample) {
  work_.done(cell, {sample.report, pipeline::encodePng(sample.image), bytesOf(sample.trajectory), sample.trajectory.size()});
  store_.place(cell.key, options_.out / cell.image);
}

// Of the exception that is being handled.
void CellDrawer::fail(const Cell& cell) {
  const std::string why = service::describe(std::current_exception()).what();
  std::fprintf(stderr, "quantspot-cli: %s, seed %llu: %s\n", plan_.request().precisions[cell.precision].c_str(),
               static_cast<unsigned long long>(plan_.request().seeds[cell.seed]), why.c_str());
  work_.failed(cell, why);
}

void CellDrawer::draw(const std::vector<Cell>& cells) {
  std::size_t kept = 0;
  try {
    protocol::GenerateParams params = paramsOf(cells[0]);
    std::vector<protocol::Recipe> more;
    for (std::size_t i = 1; i < cells.size(); ++i) more.push_back(paramsOf(cells[i]).recipe);
    if (std::ranges::any_of(cells, [&](const Cell& cell) { return work_.wantsLatents(cell); })) params.observe.push_back("latents");
    if (std::ranges::any_of(cells, [&](const Cell& cell) { return work_.isWatched(cell); })) {
      params.observe.push_back("memory");
      if (options_.preset == "dit") params.observe.push_back("flops");
    }
    service::Control control;
    ProgressBar bar(title(cells));
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    const pipeline::Stopwatch watch;
    const std::vector<pipeline::Sample> samples = service_.batch(params, more, control);
    for (; kept < cells.size(); ++kept) keep(cells[kept], samples[kept]);
    auto& [seconds, count] = took_[cells[0].precision];
    seconds += watch.seconds();
    count += cells.size();
  } catch (const evaluation::WriteError&) {   // no fault of these pictures: the next run draws them
    for (; kept < cells.size(); ++kept) work_.giveBack(cells[kept]);
    throw;
  } catch (...) {
    for (; kept < cells.size(); ++kept) fail(cells[kept]);
  }
}

void CellDrawer::drawAll(bool wait) {
  while (!work_.complete()) {
    const std::vector<Cell> cells = work_.next();
    if (!cells.empty()) draw(cells);
    else if (!wait) return;
    else std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

void CellDrawer::drawRepeat() {
  const std::string run = work_.run();
  if (!evaluation::wantsRepeat(plan_, store_, run)) return;
  const Cell again = plan_.repeat();
  try {
    service::Control control;
    ProgressBar bar("noise floor: " + plan_.request().precisions[0] + " again");
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    const pipeline::Sample sample = service_.batch(paramsOf(again), {}, control).at(0);
    store_.put(again.key, {sample.report, pipeline::encodePng(sample.image), {}, 0});
  } catch (const evaluation::WriteError&) {
    throw;
  } catch (...) {
    const std::string why = service::describe(std::current_exception()).what();
    std::fprintf(stderr, "quantspot-cli: %s, drawn again: %s\n", plan_.request().precisions[0].c_str(), why.c_str());
    store_.fail(again.key, run, why);
  }
}

void CellDrawer::drawPilot(const std::vector<std::string>& precisions) {
  for (const Cell& cell : plan_.cells())
    if (cell.prompt == 0 && cell.seed == 0 && std::ranges::find(precisions, plan_.request().precisions[cell.precision]) != precisions.end() && work_.take(cell)) draw({cell});
}

}  // namespace quantspot::cli
