#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/pipeline/png.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "engine/service/models.h"
#include "quant/precision_info.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <cstdio>
#include <map>
#include <span>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Draws and keeps the pictures; a variant that fails is an entry with its reason.
class Comparison {
 public:
  Comparison(service::Service& service, const CompareOptions& options) : service_(service), options_(options) {}

  // One prompt and these seeds, in one pass per precision: an entry per seed.
  std::vector<json> run(std::size_t prompt, std::span<const std::uint64_t> seeds);
  int failures() const { return failures_; }

 private:
  std::vector<json> draw(const std::string& precision, std::size_t prompt, std::span<const std::uint64_t> seeds);
  json keep(pipeline::Sample sample, const protocol::GenerateParams& params, const fs::path& relative);
  json scores(const std::string& png, const protocol::GenerateParams& params);
  json failure(const std::string& precision, std::uint64_t seed);

  service::Service& service_;
  const CompareOptions& options_;
  std::map<std::uint64_t, std::string> references_;   // of this prompt, by seed: base64 PNG of the first precision; absent when it failed
  int failures_ = 0;
};

json Comparison::scores(const std::string& png, const protocol::GenerateParams& params) {
  json found = json::object();
  const auto add = [&](const char* metric, const std::string& reference) {
    try {
      const protocol::ScoreResult result = service_.score({metric, png, reference, params.recipe.prompt, params.model});
      found[metric] = json(result)["value"];
    } catch (...) {
      found[metric] = nullptr;           // a picture without a score is still a picture
    }
  };
  add("clip", "");
  if (params.precision == options_.precisions.front()) {
    references_[params.recipe.seed] = png;
  } else if (const auto reference = references_.find(params.recipe.seed); reference != references_.end()) {
    add("psnr", reference->second);
    add("ssim", reference->second);
  }
  return found;
}

json Comparison::keep(pipeline::Sample made, const protocol::GenerateParams& params, const fs::path& relative) {
  const auto png = pipeline::encodePng(made.image);
  pipeline::writeFile(options_.out / relative, png);
  return {{"precision", params.precision}, {"image", relative.generic_string()}, {"scores", scores(protocol::toBase64(png), params)},
          {"report", std::move(made.report)}};
}

// Of the exception that is being handled.
json Comparison::failure(const std::string& precision, std::uint64_t seed) {
  const std::string why = service::describe(std::current_exception()).what();
  ++failures_;
  std::fprintf(stderr, "quantspot-cli: %s, seed %llu: %s\n", precision.c_str(), static_cast<unsigned long long>(seed), why.c_str());
  return {{"precision", precision}, {"error", why}};
}

std::vector<json> Comparison::draw(const std::string& precision, std::size_t prompt, std::span<const std::uint64_t> seeds) {
  protocol::GenerateParams params = options_.base;
  params.precision = precision;
  params.recipe.prompt = options_.prompts[prompt];
  std::vector<protocol::Recipe> recipes(seeds.size(), params.recipe);
  for (std::size_t i = 0; i < seeds.size(); ++i) recipes[i].seed = seeds[i];
  std::vector<json> entries;
  try {
    service::Control control;
    ProgressBar bar(fmt::format("{} seed {}", precision, fmt::join(seeds, ",")));
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    params.recipe = recipes.front();
    std::vector<pipeline::Sample> made = service_.batch(params, {recipes.begin() + 1, recipes.end()}, control);
    for (std::size_t i = 0; i < made.size(); ++i) {
      params.recipe = recipes[i];
      entries.push_back(keep(std::move(made[i]), params, fs::path(fileName(precision)) / fmt::format("{:04}-seed{}.png", prompt, seeds[i])));
    }
  } catch (...) {
    while (entries.size() < seeds.size()) entries.push_back(failure(precision, seeds[entries.size()]));
  }
  return entries;
}

std::vector<json> Comparison::run(std::size_t prompt, std::span<const std::uint64_t> seeds) {
  protocol::Recipe recipe = options_.base.recipe;
  recipe.prompt = options_.prompts[prompt];
  std::vector<json> comparisons;
  for (const std::uint64_t seed : seeds) {
    recipe.seed = seed;
    comparisons.push_back({{"recipe", recipe}, {"samples", json::array()}});
  }
  references_.clear();
  for (const std::string& precision : options_.precisions) {
    std::vector<json> entries = draw(precision, prompt, seeds);
    for (std::size_t i = 0; i < seeds.size(); ++i) comparisons[i]["samples"].push_back(std::move(entries[i]));
  }
  return comparisons;
}

void checkDistinct(const std::vector<std::string>& precisions) {
  if (precisions.empty()) throw std::invalid_argument("--precisions names none");
  for (std::size_t i = 0; i < precisions.size(); ++i) {
    if (precisions[i] != "auto") quant::parseSchedule(precisions[i]);   // a typing error is told before hours of work
    for (std::size_t k = 0; k < i; ++k)
      if (fileName(precisions[i]) == fileName(precisions[k])) throw std::invalid_argument("--precisions names " + precisions[i] + " twice");
  }
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

std::string fileName(const std::string& policy) {
  std::string name;
  for (const char c : policy) name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '=' ? c : '+';
  return name;
}

int compare(service::Service& service, const CompareOptions& options) {
  checkDistinct(options.precisions);
  for (const std::string& precision : options.precisions) fs::create_directories(options.out / fileName(precision));
  json report = {{"schema", 1}, {"model", service::resolveModel(options.base.model).string()}, {"precisions", options.precisions},
                 {"comparisons", json::array()}};
  Comparison comparison(service, options);
  for (std::size_t prompt = 0; prompt < options.prompts.size(); ++prompt)
    for (std::size_t first = 0; first < options.seeds.size(); first += options.batch) {
      const auto seeds = std::span(options.seeds).subspan(first, std::min(options.batch, options.seeds.size() - first));
      for (json& made : comparison.run(prompt, seeds)) report["comparisons"].push_back(std::move(made));
      writeJson(options.out / "report.json", report);   // after each, so that an interrupted run leaves what it has
    }
  writeText(options.out / "report.html", htmlReport(report, options.out));
  printJson({{"report", (options.out / "report.json").string()}, {"html", (options.out / "report.html").string()},
             {"samples", options.prompts.size() * options.seeds.size() * options.precisions.size()}, {"failed", comparison.failures()}});
  return comparison.failures() == 0 ? 0 : 1;
}

}  // namespace quantspot::cli
