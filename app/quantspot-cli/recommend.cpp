#include "app/quantspot-cli/recommend.h"

#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "app/quantspot-cli/recipe_options.h"
#include "app/quantspot-cli/recommend_runs.h"
#include "app/usage.h"
#include "decision/decide.h"
#include "decision/evidence_files.h"
#include "decision/gather.h"
#include "decision/gpu_table.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/pipeline/recipe.h"
#include "engine/protocol/quantity.h"
#include "engine/service/models.h"
#include "quant/precision_info.h"

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>

namespace quantspot::cli {
namespace {

using namespace decision;

struct RecommendArguments {
  service::ServiceOptions service;
  protocol::Recipe recipe;
  std::string model = "default", parts, hardware = "found", searchWith = "bnb-nf4", promptsFile;
  std::string precisions = "bf16,gguf-q8_0,bnb-int8,torchao-int8wo,fp8-layerwise,gguf-q6_k,gguf-q5_k,bnb-nf4,gguf-q4_k,gguf-q3_k,gguf-q2_k";
  std::vector<std::string> evidence, studies, ratings;
  Constraints limits;
  int batch = 1;
  bool measure = false, search = false, text = false, table = false, noOffload = false;
};

// "-5%", "-0.05" → −0.05. A bare 5 would be 500 %.
double parseShare(const std::string& text) {
  const auto share = protocol::parseQuantity(text);
  if (!share || (share->unit.empty() ? std::abs(share->value) > 1 : share->unit != "%"))
    throw std::invalid_argument(fmt::format("'{}' is no share; write 5% or 0.05", text));
  return share->unit.empty() ? share->value : share->value / 100;
}

double parsePeople(const std::string& text) {
  const double share = parseShare(text);
  if (share < 0 || share > 1) throw std::invalid_argument(fmt::format("'{}' is no share of people; write 10%", text));
  return share;
}

// "cpu:64GiB,avx2", "gpu:20GiB": nothing for any other name.
std::optional<Hardware> statedBy(const std::string& text) {
  const bool gpu = text.starts_with("gpu:");
  if (!gpu && !text.starts_with("cpu:")) return {};
  std::vector<std::string> parts;
  for (std::size_t at = 4; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return statedHardware(gpu, pipeline::parseBytes(parts.front()), {parts.begin() + 1, parts.end()});
}

Hardware hardwareOf(const std::string& id, const service::Service& service) {
  if (const auto stated = statedBy(id)) return *stated;
  if (id != "found") {
    for (const Hardware& found : foundHardware(service.initialize().engine))
      if (found.id == id) return found;
    return knownGpu(id);
  }
  const std::vector<Hardware> all = foundHardware(service.initialize().engine);
  return all.size() > 1 ? all[1] : all[0];   // a GPU where there is one
}

std::vector<std::string> precisionsOf(const RecommendArguments& a, const Evidence& evidence) {
  std::vector<std::string> all = splitPolicies(a.precisions);
  for (const std::string& precision : all)
    if (std::ranges::count(all, precision) > 1) throw std::invalid_argument(fmt::format("--precisions names {} twice", precision));
  for (const auto& [precision, known] : evidence.byPrecision)
    if (std::ranges::find(all, precision) == all.end() && quant::precisionInfo(precision)) all.push_back(precision);
  return all;
}

double bitsOf(const std::string& precision) {
  const quant::PrecisionInfo* info = quant::precisionInfo(precision);
  if (!info) throw std::invalid_argument(fmt::format("precision '{}' is not known", precision));
  return info->bitsPerWeight;
}

protocol::EstimateResult estimate(const RecommendArguments& a, const service::Service& service, const std::vector<std::string>& precisions,
                                 bool gpu) {
  ProgressBar bar("memory");
  service::Control control;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  return service.estimate({.model = a.model, .precisions = precisions, .recipe = a.recipe, .batch = a.batch, .gpu = gpu}, control);
}

void addOptions(Question& question, const protocol::EstimateResult& result) {
  question.reserve = question.hardware.gpu ? kGpuReserve : result.process_bytes;
  for (MemoryEstimate& estimate : memoryEstimates(result)) {
    const double bits = bitsOf(estimate.precision);
    question.options.push_back({estimate.precision, bits, std::move(estimate)});
  }
}

void readEvidence(const RecommendArguments& a, Evidence& evidence) {
  std::vector<Found> found;
  for (const std::string& path : a.evidence) readComparison(found.emplace_back(Found{.evidence = {}, .chosen = true}).evidence, path);
  for (const std::string& path : a.studies) readStudy(found.emplace_back(Found{.evidence = {}, .chosen = true}).evidence, path);
  for (const std::string& path : a.ratings) readRatings(found.emplace_back(Found{.evidence = {}, .chosen = true}).evidence, path);
  evidence = gathered(std::move(found), a.recipe.steps, a.recipe.width, a.recipe.height);
}

int printTable(const RecommendArguments& a, const service::Service& service) {
  const auto table = gpuTable(memoryEstimates(estimate(a, service, splitPolicies(a.precisions), true)));
  if (a.text) std::fputs(toText(table).c_str(), stdout);
  else printJson(toJson(table));
  return 0;
}

std::vector<std::string> promptsOf(const RecommendArguments& a) {
  return a.promptsFile.empty() ? std::vector{a.recipe.prompt} : readLines(a.promptsFile);
}

// Pictures of the precisions that could be the answer and of which nothing was measured, beside the reference's.
void measureMissing(const RecommendArguments& a, service::Service& service, Question& question) {
  const std::string reference = question.evidence.reference.empty() ? "bf16" : question.evidence.reference;
  std::vector<std::string> missing = {reference};
  for (const Candidate& candidate : decide(question).ranked)
    if (candidate.possible() && candidate.precision != reference &&
        !question.evidence.of(candidate.precision).psnr) missing.push_back(candidate.precision);
  if (missing.size() > 1) addComparison(question.evidence, measureShortly(service, {a.model, a.recipe, promptsOf(a)}, missing), "measured now");
}

int recommend(RecommendArguments& a) {
  lendParts(a.model, a.parts);
  service::Service service(a.service);
  a.recipe = pipeline::completeRecipe(a.recipe, service::resolveModel(a.model));
  if (a.table) return printTable(a, service);
  Question question{.model = a.model, .hardware = hardwareOf(a.hardware, service), .constraints = a.limits, .options = {}, .evidence = {},
                    .steps = a.recipe.steps, .width = a.recipe.width, .height = a.recipe.height, .reserve = 0};
  question.constraints.offload = !a.noOffload;
  readEvidence(a, question.evidence);
  addOptions(question, estimate(a, service, precisionsOf(a, question.evidence), question.hardware.gpu));
  if (a.measure) measureMissing(a, service, question);
  if (a.search) {
    const std::string mix = findMix(service, question, {a.model, a.recipe, promptsOf(a)}, a.searchWith);
    if (!mix.empty()) addMix(question, mix, estimate(a, service, {mix}, question.hardware.gpu));
  }
  const Decision made = decide(question);
  if (a.text) std::fputs(toText(question, made).c_str(), stdout);
  else printJson(toJson(question, made));
  return made.chosen ? 0 : 1;
}

void addLimits(CLI::App& command, const std::shared_ptr<RecommendArguments>& a) {
  Constraints& limits = a->limits;
  command.add_option_function<std::string>("--max-memory", [&limits](const std::string& size) { limits.maxMemory = pipeline::parseBytes(size); },
                                           "Such as 12GiB (default: what the hardware has)");
  command.add_option("--max-seconds", limits.maxSeconds, "Per picture")->check(positive());
  command.add_option_function<std::string>("--min-clip-change", [&limits](const std::string& text) { limits.minClipChange = parseShare(text); },
                                           "How far the CLIP score may fall against the reference, such as -5%");
  command.add_option_function<double>("--min-psnr", [&limits](double value) { limits.minPsnr = value; }, "dB against the reference")
      ->check(notNegative());
  command.add_option_function<double>("--max-lpips", [&limits](double value) { limits.maxLpips = value; }, "Against the reference, such as 0.05")
      ->check(notNegative());
  command.add_option_function<double>("--min-rating", [&limits](double value) { limits.minRating = value; },
                                      "People's mean grade of 1 to 5, such as 4")
      ->check(within(1, 5));
  command.add_option_function<std::string>("--max-visible", [&limits](const std::string& text) { limits.maxVisible = parsePeople(text); },
                                           "Share of people that may notice it, by a study, such as 10%");
  command.add_flag("--no-offload", a->noOffload, "Weights may not travel in every step");
}

void addSources(CLI::App& command, const std::shared_ptr<RecommendArguments>& a) {
  command.add_option("--evidence", a->evidence, "report.json of 'compare', or its folder; may be given several times");
  command.add_option("--study", a->studies, "analysis.json of a study, or its bundle; may be given several times");
  command.add_option("--ratings", a->ratings, "People's ratings, as for compare; may be given several times");
  command.add_flag("--measure", a->measure, "Draw what was not measured: each prompt with one seed, the precisions that could be the answer");
  command.add_flag("--search", a->search, "Look for a mix of bf16 and --search-with that fits, by a sensitivity scan of the blocks");
  command.add_option("--search-with", a->searchWith, "The low precision of the mix")->capture_default_str();
  CLI::App& prompts = *command.add_option_group("prompts")->require_option(0, 1);
  prompts.add_option("--prompt", a->recipe.prompt)->capture_default_str();
  prompts.add_option("--prompts", a->promptsFile, "A prompt per line, for --measure and --search");
}

}  // namespace

void addRecommend(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<RecommendArguments>();
  a->recipe.prompt = "a fox on a yellow background";
  CLI::App& command = *app.add_subcommand("recommend", "Which precision to deploy: memory, time, quality and what people saw against what is asked");
  command.add_option("--model", a->model, "As for generate")->check(notEmpty())->capture_default_str();
  command.add_option("--parts", a->parts, "As for generate");
  command.add_option("--precisions", a->precisions, "What may be chosen, separated by commas")->capture_default_str();
  command.add_option("--hardware", a->hardware,
                     "found: this machine (cpu, gpu0: one of it), a GPU of the table, such as rtx-4070, or a stated one: "
                     "cpu:64GiB,avx512_bf16 (free memory, instructions), gpu:20GiB,fp8")
      ->capture_default_str();
  addLimits(command, a);
  addSources(command, a);
  command.add_option("--steps", a->recipe.steps)->check(CLI::Range(1, 10000))->capture_default_str();
  addSize(command, a->recipe);
  command.add_option("--seed", a->recipe.seed)->check(seedNumber())->capture_default_str();
  command.add_option("--batch", a->batch, "Pictures side by side")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--threads", a->service.threads, "CPU threads (default: all cores)")->check(threadCount());
  command.add_option("--device", a->service.device, "cpu or cuda:0, for --measure and --search")->check(deviceName())->capture_default_str();
  command.add_flag("--text", a->text, "For reading, in place of JSON");
  command.add_flag("--table", a->table, "Precisions against common GPUs of 8 to 80 GB");
  command.callback([&run, a] { run = [a] { return recommend(*a); }; });
}

}  // namespace quantspot::cli
