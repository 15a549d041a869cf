#include "evaluation/report.h"

#include "evaluation/figures.h"
#include "evaluation/latent_error.h"
#include "evaluation/noise_floor.h"
#include "evaluation/pareto.h"
#include "evaluation/scoring.h"
#include "evaluation/sets_note.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

json growthOf(const std::vector<LatentError>& errors) {
  json relative = json::array(), cosine = json::array();
  for (const LatentError& error : errors) {
    relative.push_back(error.relative);
    cosine.push_back(error.cosine);
  }
  return {{"relative", relative}, {"cosine", cosine}};
}

void withoutLayers(json& report) {
  for (auto& [name, part] : report["weights"].items())
    if (part.is_object()) part.erase("layers");
}

class Assembly {
 public:
  Assembly(const Plan& plan, const Store& store, const ReportOptions& options) : plan_(plan), store_(store), options_(options) {}

  json comparison(std::size_t prompt, std::size_t seed) {
    const Prompt& text = plan_.request().prompts.prompts[prompt];
    json made = {{"recipe", plan_.recipeOf(plan_.cell(prompt, seed, 0))}, {"samples", json::array()}};
    if (!text.category.empty()) made["category"] = text.category;
    if (!text.challenge.empty()) made["challenge"] = text.challenge;
    const auto baseline = store_.latents(plan_.cell(prompt, seed, 0).key);
    for (std::size_t v = 0; v < plan_.request().precisions.size(); ++v)
      if (json sample = this->sample(plan_.cell(prompt, seed, v), baseline); !sample.is_null()) made["samples"].push_back(std::move(sample));
    return made;
  }

 private:
  json sample(const Cell& cell, const std::vector<std::vector<float>>& baseline) {
    const std::string& precision = plan_.request().precisions[cell.precision];
    // Also where it is drawn: its picture could not be put in its place.
    if (const auto why = store_.failure(cell.key, options_.run)) return {{"precision", precision}, {"error", *why}};
    auto report = store_.report(cell.key);
    if (!report) return {};
    if (!told_.insert(cell.precision).second) withoutLayers(*report);
    json made = {{"precision", precision}, {"image", cell.image}, {"key", cell.key},
                 {"scores", scoresOf(plan_, store_, cell, options_.metrics.cells)}, {"report", std::move(*report)}};
    if (cell.precision > 0 && !baseline.empty())
      if (const auto own = store_.latents(cell.key); !own.empty()) made["growth"] = growthOf(errorGrowth(own, baseline));
    return made;
  }

  const Plan& plan_;
  const Store& store_;
  const ReportOptions& options_;
  std::set<std::size_t> told_;           // precisions that have a sample already
};

// Of a list of numbers per sample: the mean of each place, over the samples that have it.
template <class Numbers>
json byPlace(const json& comparisons, const std::vector<std::string>& precisions, const char* place, Numbers&& numbers) {
  json rows = json::array();
  for (const std::string& precision : precisions) {
    std::vector<std::vector<double>> columns;
    for (const json& comparison : comparisons)
      for (const json& sample : comparison["samples"]) {
        if (sample.value("precision", "") != precision) continue;
        const std::vector<double> values = numbers(sample);
        columns.resize(std::max(columns.size(), values.size()));
        for (std::size_t i = 0; i < values.size(); ++i)
          if (std::isfinite(values[i])) columns[i].push_back(values[i]);
      }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].empty()) continue;
      json row = estimateJson(bootstrapMean(columns[i]));
      row["precision"] = precision;
      row[place] = i + 1;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<double> list(const json& sample, const char* object, const char* key) {
  const auto part = sample.find(object);
  if (part == sample.end() || !part->is_object() || !part->contains(key)) return {};
  std::vector<double> values;
  for (const json& value : (*part)[key]) values.push_back(value.is_number() ? value.get<double>() : NAN);
  return values;
}

std::vector<double> stepSeconds(const json& sample) {
  if (!sample.contains("report")) return {};
  std::vector<double> values = list(sample["report"], "seconds", "steps");
  const double pictures = std::max(1.0, sample["report"].value("batch", 1.0));
  for (double& value : values) value /= pictures;
  return values;
}

json memoryOverTime(const json& comparisons) {
  json all = json::array();
  std::set<std::string> told;            // a pass of several pictures was watched once
  for (const json& comparison : comparisons)
    for (const json& sample : comparison["samples"])
      if (sample.contains("report") && sample["report"].contains("memory_over_time") && told.insert(sample["precision"]).second)
        all.push_back({{"precision", sample["precision"]}, {"floor", sample["report"].value("floor_bytes", 0)},
            {"points", sample["report"]["memory_over_time"]}});
  return all;
}

// Of the first sample that counted them, per precision.
json flopsOf(const json& comparisons) {
  json all = json::object();
  for (const json& comparison : comparisons)
    for (const json& sample : comparison["samples"])
      if (sample.contains("report") && sample["report"].contains("flops") &&
          !all.contains(sample["precision"])) all[sample["precision"].get<std::string>()] = sample["report"]["flops"];
  return all;
}

}  // namespace

json analyze(const json& comparisons, const std::vector<std::string>& precisions, const std::vector<Threshold>& thresholds, const SetFigures& sets,
             const Labels& labels) {
  const auto summaries = summarize(comparisons, precisions, sets);
  const std::string quality = qualityFigure(summaries);
  return {{"summary", summaryJson(summaries)}, {"categories", categoriesJson(byCategory(comparisons, precisions))},
          {"pareto", paretoJson(paretoOf(summaries, quality), quality)}, {"thresholds", thresholdsJson(thresholds, labels)},
          {"judged", judgedJson(judge(summaries, thresholds, labels))}, {"step_seconds", byPlace(comparisons, precisions, "step", stepSeconds)},
          {"growth", byPlace(comparisons, precisions, "call", [](const json& sample) { return list(sample, "growth", "relative"); })},
          {"growth_cosine", byPlace(comparisons, precisions, "call", [](const json& sample) { return list(sample, "growth", "cosine"); })},
          {"memory_over_time", memoryOverTime(comparisons)}, {"flops", flopsOf(comparisons)}};
}

json makeReport(const Plan& plan, const Store& store, const ReportOptions& options) {
  const PlanRequest& request = plan.request();
  json report = {{"schema", 1}, {"model", options.model}, {"precisions", request.precisions}, {"prompt_set", request.prompts.name},
                 {"plan", plan.key()}, {"comparisons", json::array()}};
  Assembly assembly(plan, store, options);
  for (std::size_t p = 0; p < request.prompts.prompts.size(); ++p)
    for (std::size_t s = 0; s < request.seeds.size(); ++s) report["comparisons"].push_back(assembly.comparison(p, s));
  const SetReport sets = setFiguresOf(plan, store, options.metrics.sets, options.real);
  SetFigures figures = options.ratings;
  for (const auto& [precision, found] : sets.figures) figures[precision].insert(found.begin(), found.end());
  auto labels = labelsOf(options.metrics);
  if (!options.ratingsFrom.empty()) labels["rating"] = fmt::format("Human rating ({})", options.ratingsFrom);
  report["sets"] = sets.told, report["labels"] = labels, report["lacking"] = lackingText(options.metrics);
  report["noise_floor"] = noiseFloorOf(plan, store, options.metrics.cells, options.run);
  report["metrics"] = json::array();
  for (const auto* list : {&options.metrics.cells, &options.metrics.sets})
    for (const Metric& metric : *list)
      report["metrics"].push_back({{"figure", metric.gives}, {"label", metric.label}, {"weights_sha256", metric.weights_sha256}});
  report.update(analyze(report["comparisons"], request.precisions, options.thresholds, figures, labels));
  return report;
}

std::string figuresNote(const json& report) {
  std::string note = "Means with 95 % bootstrap intervals. PSNR, SSIM and their like are against " + report["precisions"][0].get<std::string>() +
                     ". Peak memory: what the picture took beyond the idle engine. Time per picture: without loading.";
  if (const std::string lacking = report.value("lacking", ""); !lacking.empty()) note += " " + lacking + ".";
  if (const std::string floor = noiseFloorText(report); !floor.empty()) note += " " + floor;
  if (const std::string sets = setsNote(report); !sets.empty()) note += " " + sets;
  return note;
}

}  // namespace quantspot::evaluation
