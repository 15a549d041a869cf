#include "app/quantspot-cli/recommend_runs.h"

#include "app/quantspot-cli/progress_bar.h"
#include "decision/mix.h"
#include "engine/pipeline/png.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>

namespace quantspot::cli {
namespace {

using nlohmann::json;
using namespace decision;

void warn(const std::string& text) { std::fprintf(stderr, "quantspot-cli: %s\n", text.c_str()); }

// One prompt at all precisions.
json drawAll(service::Service& service, const DrawnWith& with, const std::string& prompt, const std::vector<std::string>& precisions,
             evaluation::Labels& labels) {
  json samples = json::array();
  std::string reference;
  for (const std::string& precision : precisions) try {
    protocol::GenerateParams params{.model = with.model, .precision = precision, .recipe = with.recipe};
    params.recipe.prompt = prompt;
    ProgressBar bar(precision);
    service::Control control;
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    const pipeline::Sample made = service.sample(params, control);
    const std::string png = protocol::toBase64(pipeline::encodePng(made.image));
    const auto score = [&](const char* metric, const std::string& against) {
      const protocol::ScoreResult found = service.score({metric, png, against, prompt, with.model});
      evaluation::nameScore(labels, metric, found.label);
      return json(found)["value"];
    };
    json scores = {{"clip", score("clip", "")}};
    if (precision == precisions.front()) reference = png;
    else if (!reference.empty()) scores["psnr"] = score("psnr", reference);
    samples.push_back({{"precision", precision}, {"scores", scores},
                       {"report", {{"engine", made.report["engine"]}, {"seconds", made.report["seconds"]}}}});
  } catch (...) {
    const std::string why = service::describe(std::current_exception()).what();
    warn(precision + ": " + why);
    samples.push_back({{"precision", precision}, {"error", why}});
  }
  return samples;
}

const Option* optionOf(const Question& question, const std::string& precision) {
  const auto found = std::ranges::find(question.options, precision, &Option::precision);
  return found == question.options.end() || !found->memory.error.empty() ? nullptr : &*found;
}

}  // namespace

json measureShortly(service::Service& service, const DrawnWith& with, const std::vector<std::string>& precisions) {
  json report = {{"schema", 1}, {"precisions", precisions}, {"comparisons", json::array()}};
  evaluation::Labels labels;
  for (const std::string& prompt : with.prompts)
    report["comparisons"].push_back({{"recipe", with.recipe}, {"samples", drawAll(service, with, prompt, precisions, labels)}});
  report["labels"] = labels;
  return report;
}

std::string findMix(service::Service& service, Question& question, const DrawnWith& with, const std::string& low) {
  ProgressBar bar("scan");
  service::Control control;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  try {
    const protocol::ScanParams params{.model = with.model, .precision = low, .recipe = with.recipe, .prompts = with.prompts, .blocks = true,
                                      .max_bytes = roomForMix(question, low)};
    const protocol::ScanResult scan = service.scan(params, control);
    addScan(question.evidence, scan, low);
    question.evidence.byPrecision[scan.found->policy].latentError = scan.found->measured;
    return scan.found->policy;
  } catch (const std::invalid_argument& error) {
    warn(std::string("--search: ") + error.what());
    return {};
  }
}

void addMix(Question& question, const std::string& policy, const protocol::EstimateResult& estimate) {
  if (optionOf(question, policy)) return;
  question.options.push_back(mixOption(question, policy, memoryEstimates(estimate).front()));
}

}  // namespace quantspot::cli
