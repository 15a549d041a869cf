#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/pipeline/png.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "engine/service/models.h"
#include "quant/policy.h"
#include "quant/precision_info.h"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <stdexcept>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Comparison {
 public:
  Comparison(service::Service& service, const CompareOptions& options) : service_(service), options_(options) {}

  // One prompt and seed at all precisions.
  json run(std::size_t prompt, std::uint64_t seed);
  int failures() const { return failures_; }

 private:
  json sample(protocol::GenerateParams params, const fs::path& relative);
  json scores(const std::string& png, const protocol::GenerateParams& params);

  service::Service& service_;
  const CompareOptions& options_;
  std::string reference_;                // base64 PNG of the first precision; empty when it failed
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
  const bool isReference = params.precision == options_.precisions.front();
  if (isReference) reference_ = png;
  if (!isReference && !reference_.empty()) {
    add("psnr", reference_);
    add("ssim", reference_);
  }
  return found;
}

json Comparison::sample(protocol::GenerateParams params, const fs::path& relative) {
  json entry = {{"precision", params.precision}};
  try {
    service::Control control;
    ProgressBar bar(fmt::format("{} seed {}", params.precision, params.recipe.seed));
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    pipeline::Sample made = service_.sample(params, control);
    const auto png = pipeline::encodePng(made.image);
    pipeline::writeFile(options_.out / relative, png);
    entry["image"] = relative.generic_string();
    entry["scores"] = scores(protocol::toBase64(png), params);
    entry["report"] = std::move(made.report);
  } catch (...) {
    entry["error"] = service::describe(std::current_exception()).what();
    ++failures_;
    std::fprintf(stderr, "quantspot-cli: %s, seed %llu: %s\n", params.precision.c_str(),
                 static_cast<unsigned long long>(params.recipe.seed), entry["error"].get<std::string>().c_str());
  }
  return entry;
}

json Comparison::run(std::size_t prompt, std::uint64_t seed) {
  protocol::GenerateParams params = options_.base;
  params.recipe.prompt = options_.prompts[prompt];
  params.recipe.seed = seed;
  reference_.clear();
  json samples = json::array();
  for (const std::string& precision : options_.precisions) {
    params.precision = precision;
    samples.push_back(sample(params, fs::path(fileName(precision)) / fmt::format("{:04}-seed{}.png", prompt, seed)));
  }
  return {{"recipe", params.recipe}, {"samples", std::move(samples)}};
}

void checkDistinct(const std::vector<std::string>& precisions) {
  if (precisions.empty()) throw std::invalid_argument("--precisions names none");
  for (std::size_t i = 0; i < precisions.size(); ++i) {
    quant::parsePolicy(precisions[i]);   // a typing error is told before hours of work
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
    const bool newPolicy = part.find('?') != std::string::npos || quant::precisionInfo(part);
    if (inSkip && !newPolicy) policies.back() += "," + part;
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
    for (const std::uint64_t seed : options.seeds) {
      report["comparisons"].push_back(comparison.run(prompt, seed));
      writeJson(options.out / "report.json", report);   // after each, so that an interrupted run leaves what it has
    }
  writeText(options.out / "report.html", htmlReport(report, options.out));
  printJson({{"report", (options.out / "report.json").string()}, {"html", (options.out / "report.html").string()},
             {"samples", options.prompts.size() * options.seeds.size() * options.precisions.size()}, {"failed", comparison.failures()}});
  return comparison.failures() == 0 ? 0 : 1;
}

}  // namespace quantspot::cli
