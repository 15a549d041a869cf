#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/draw_cells.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/workers.h"
#include "decision/evidence_files.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/protocol/base64.h"
#include "engine/service/models.h"
#include "engine/service/metric_offer.h"
#include "engine/service/traits.h"
#include "evaluation/html_report.h"
#include "evaluation/pdf_report.h"
#include "evaluation/report.h"
#include "evaluation/score_queue.h"
#include "evaluation/tables.h"
#include "quant/precision_info.h"

#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <set>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kDefaultSide = 128;        // of models that do not say what they were made for

void checkDistinct(const std::vector<std::string>& precisions) {
  if (precisions.empty()) throw std::invalid_argument("--precisions names none");
  for (std::size_t i = 0; i < precisions.size(); ++i) {
    if (precisions[i] != "auto") quant::parseSchedule(precisions[i]);   // a typing error is told before hours of work
    for (std::size_t k = 0; k < i; ++k)
      if (evaluation::fileName(precisions[i]) == evaluation::fileName(precisions[k]))
        throw std::invalid_argument("--precisions names " + precisions[i] + " twice");
  }
}

std::string hashOfFile(const fs::path& path) {
  const model::MappedFile file(path);
  return model::sha256Hex(file.bytes().data(), file.bytes().size());
}

// What shapes the pictures besides weights, recipe and precision. Offload does not, but times and memory are its.
json extrasOf(const CompareOptions& options) {
  const protocol::GenerateParams& base = options.base;
  json extras = {{"offload", base.offload}, {"loras", json::array()}, {"calibration", base.calibration}};
  for (const protocol::Lora& lora : base.loras) extras["loras"].push_back({{"sha256", hashOfFile(lora.file)}, {"scale", lora.scale}});
  if (!base.image.empty()) extras["image"] = model::sha256Hex(base.image.data(), base.image.size());
  for (const std::string& precision : options.precisions)
    if (precision == "auto") extras["max_memory"] = base.max_memory;
  return extras;
}

evaluation::Plan planOf(const CompareOptions& options) {
  return evaluation::Plan({pipeline::HashCache().weightsHash(service::resolveModel(options.base.model)), options.base.recipe, extrasOf(options),
                           options.prompts, options.seeds, options.precisions});
}

// Told before hours of work: which metrics, and what they lack.
evaluation::MetricChoice metricsOf(const CompareOptions& options) {
  int width = options.base.recipe.width, height = options.base.recipe.height;
  if (width == 0 || height == 0) {
    const protocol::ModelTraits traits = service::modelTraits({options.base.model});
    width = traits.width > 0 ? traits.width : kDefaultSide, height = traits.height > 0 ? traits.height : kDefaultSide;
  }
  return evaluation::chooseMetrics(service::offeredMetrics({options.base.model}).metrics, options.metrics, width, height);
}

// A score that cannot be taken is left out: a picture without one is still a picture.
void scoreAll(service::Service& service, evaluation::ScoreQueue& queue) {
  queue.addAll(), queue.addSets();
  std::set<std::string> told;
  while (const auto job = queue.next()) {
    try {
      queue.done(*job, service.score(job->params));
    } catch (const evaluation::WriteError&) {
      throw;
    } catch (const std::exception& error) {
      queue.failed(*job, error.what());
      if (told.insert(job->params.metric).second) std::fprintf(stderr, "quantspot-cli: no %s: %s\n", job->params.metric.c_str(), error.what());
    }
  }
  if (const std::string lacking = evaluation::lackingText(queue.metrics()); !lacking.empty())
    std::fprintf(stderr, "quantspot-cli: %s\n", lacking.c_str());
}

json number(const json& row, const char* figure) {
  const auto found = row["figures"].find(figure);
  return found == row["figures"].end() ? json() : (*found)["value"];
}

// Of the pass that was counted, per picture; null when none was.
json flopsOf(const json& report, const json& precision) {
  for (const json& comparison : report["comparisons"])
    for (const json& sample : comparison["samples"]) {
      if (sample["precision"] != precision || !sample.contains("report") || !sample["report"].contains("flops")) continue;
      const json& flops = sample["report"]["flops"];
      const double total = flops["total"].get<double>() / sample["report"]["batch"].get<double>();
      return {{"gflop_per_call", total / flops["calls"].get<double>() / 1e9}, {"tflop", total / 1e12}};
    }
  return {{"gflop_per_call", nullptr}, {"tflop", nullptr}};
}

// Time, memory, FLOPs and quality per precision.
json ditTable(const json& report) {
  json rows = json::array();
  for (const json& row : report["summary"]) {
    json out = {{"precision", row["precision"]}, {"seconds", number(row, "latency")}, {"memory", number(row, "memory")},
                {"weights", number(row, "weights")}, {"fid", number(row, "fid")},
                {"quality", "lacks data: FID needs Inception weights and real pictures"}};
    out.update(flopsOf(report, row["precision"]));
    if (out["fid"].is_number()) out["quality"] = fmt::format("{:.2f}", out["fid"].get<double>());
    rows.push_back(std::move(out));
  }
  return rows;
}

// Before hours of work: what the user's files hold.
evaluation::ReportOptions readFiles(const CompareOptions& options) {
  evaluation::ReportOptions told;
  told.model = service::resolveModel(options.base.model).string();
  if (!options.thresholds.empty()) told.thresholds = evaluation::readThresholds(options.thresholds);
  if (!options.ratings.empty()) told.ratings = evaluation::ratingsOf(decision::readAnalysis(options.ratings));
  return told;
}

int writeReport(const CompareOptions& options, const evaluation::Plan& plan, evaluation::Store& store, const evaluation::Work& work,
                const evaluation::ScoreQueue& queue, evaluation::ReportOptions told) {
  told.metrics = queue.metrics(), told.real = queue.real();
  json report = evaluation::makeReport(plan, store, told);
  if (options.preset == "dit") report["dit"] = ditTable(report);
  json made = {{"report", (options.out / "report.json").string()}, {"html", (options.out / "report.html").string()}, {"tables", json::array()},
               {"samples", plan.cells().size()}, {"drawn", work.state().finished - work.state().before},
               {"features", queue.computedFeatures()}};
  evaluation::writeJson(options.out / "report.json", report);
  evaluation::writeWhole(options.out / "report.html", evaluation::htmlReport(report, options.out));
  for (const fs::path& table : evaluation::writeTables(report, options.out)) made["tables"].push_back(table.string());
  if (options.pdf) {
    evaluation::writePdf(report, options.out, options.out / "report.pdf");
    made["pdf"] = (options.out / "report.pdf").string();
  }
  int failed = 0;
  for (const json& row : report["summary"]) failed += row["failed"].get<int>();
  made["failed"] = failed;
  printJson(made);
  return failed == 0 ? 0 : 1;
}

void placeAll(const CompareOptions& options, const evaluation::Plan& plan, evaluation::Store& store, const std::string& run) {
  for (const evaluation::Cell& cell : plan.cells()) {
    if (store.failure(cell.key, run) || !store.report(cell.key)) continue;
    try {
      store.place(cell.key, options.out / cell.image);
    } catch (const evaluation::WriteError&) {
      throw;
    } catch (const std::runtime_error& error) {
      store.fail(cell.key, run, error.what());
    }
  }
}

// What a worker cannot write, its parent cannot either, which tells so once.
int drawAsWorker(CellDrawer& drawer) try {
  drawer.drawAll(false);
  return 0;
} catch (const evaluation::WriteError&) {
  return 1;
}

}  // namespace

std::vector<std::string> splitPolicies(const std::string& text) {
  std::vector<std::string> policies;
  for (const std::string& part : splitCommas(text)) {
    const std::string_view before = policies.empty() ? std::string_view() : policies.back();
    const auto query = before.find('?');
    // Inside "skip=a,b" a comma separates patterns; after a rule with another key only a new policy can follow.
    const bool inSkip = query != std::string_view::npos && before.substr(before.find_last_of("?&") + 1).starts_with("skip=");
    const bool newPolicy = part.find('?') != std::string::npos || quant::precisionInfo(part) || part == "auto";
    // A schedule of steps goes on until one of its parts is for all that follow: "bf16@0-3,bnb-nf4@4-".
    const bool inSchedule = before.find('@') != std::string_view::npos && !before.ends_with('-');
    if (inSchedule || (inSkip && !newPolicy)) policies.back() += "," + part;
    else policies.push_back(part);
  }
  return policies;
}

int compare(service::Service& service, const CompareOptions& options) {
  checkDistinct(options.precisions);
  evaluation::ReportOptions told = readFiles(options);
  const evaluation::Plan plan = planOf(options);
  evaluation::Store store(options.out / "store");
  evaluation::Claims claims(options.out / "store" / "claims");
  const std::string run = !options.run.empty() ? options.run
                                               : fmt::format("{}-{}", ::getpid(), std::chrono::system_clock::now().time_since_epoch().count());
  evaluation::Work work(plan, store, claims, {.run = run, .batch = options.batch, .withLatents = options.growth});
  CellDrawer drawer(service, options, plan, store, work);
  if (!options.run.empty()) return drawAsWorker(drawer);
  evaluation::ScoreQueue queue(plan, store, metricsOf(options), options.base.model, evaluation::realPictures(options.real));
  evaluation::RunCosts costs = evaluation::runCosts(plan, store, work, options.workers, options.price);
  if (options.estimateOnly) {
    drawer.drawPilot(costs.unknown);
    costs = evaluation::runCosts(plan, store, work, options.workers, options.price);
    std::fprintf(stderr, "%s\n", evaluation::costsText(costs, options.workers, options.price).c_str());
    printJson(evaluation::costsJson(costs));
    return work.state().failed == 0 ? 0 : 1;
  }
  if (::isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "%s\n", evaluation::costsText(costs, options.workers, options.price).c_str());
  if (options.workers > 1) runWorkers(options, run, plan, store, claims, work);
  try {
    drawer.drawAll(true);                // what is left, and what others draw
    if (options.repeat) drawer.drawRepeat();
    placeAll(options, plan, store, run);
    scoreAll(service, queue);
    told.run = run;
    return writeReport(options, plan, store, work, queue, std::move(told));
  } catch (const evaluation::WriteError& error) {
    throw evaluation::WriteError(fmt::format("{}; {} of {} pictures are kept: make room there, then run the same command again", error.what(),
                                             work.state().finished, work.state().cells));
  }
}

}  // namespace quantspot::cli
