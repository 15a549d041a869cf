#include "app/quantspot-cli/compare_options.h"
#include "app/quantspot-cli/files.h"
#include "app/usage.h"
#include "engine/model/family.h"
#include "engine/service/models.h"

#include <stdexcept>

namespace quantspot::cli {
namespace {

constexpr std::size_t kGrowth = 8;       // comparisons whose latents are kept when no number is given

// The table of time, memory, FLOPs and FID of DiT-XL/2 at 256 × 256, eight classes that its authors show.
void applyDit(CompareOptions& options, const std::function<bool(const std::string&)>& given) {
  const auto model = service::resolveModel(options.base.model);
  if (model::familyOf(model).info().id != "dit") throw std::invalid_argument("--preset dit is for DiT models; " + model.string() + " is none");
  if (!given("--precisions")) options.precisions = {"bf16", "int8-dynamic"};
  if (!given("--steps")) options.base.recipe.steps = 50;
  if (!given("--width")) options.base.recipe.width = 256;
  if (!given("--height")) options.base.recipe.height = 256;
  if (given("--prompt") || given("--prompts")) return;
  options.prompts = {"dit", {}};
  for (const char* label : {"207", "360", "387", "974", "88", "979", "417", "279"}) options.prompts.prompts.push_back({label, "", ""});
}

}  // namespace

void addCompareOptions(CLI::App& c, CompareOptions& o) {
  c.add_option("--thresholds", o.thresholds, "JSON list of limits that a precision must keep (default: those of report.json)")
      ->check(CLI::ExistingFile);
  c.add_option("--metrics", o.metrics,
               "What is measured, such as clip,lpips,lpips-vgg,dists,ms-ssim,kid,fid,cmmd (default: all whose weights are here)")
      ->delimiter(',');
  c.add_option("--ratings", o.ratings,
               "People's ratings: a study's bundle, its analysis.json, a folder with them, or {\"bnb-nf4\": {\"value\": 4.2, \"n\": 30}}")
      ->check(CLI::ExistingPath);
  c.add_option("--real", o.real,
               "Folder of real pictures, or their statistics (.npz), for FID and KID (default: how far from the baseline's pictures)")
      ->check(CLI::ExistingPath);
  c.add_flag("--estimate", o.estimateOnly, "Only tell time, disk and cost; draws one picture of each precision when none is there (it is kept)");
  c.add_option("--price", o.price, "Of one worker's hour, for the estimate")->check(notNegative());
  c.add_flag("!--no-repeat", o.repeat, "Do not draw the baseline's first picture again (the noise floor: how far it lies from itself)");
  c.add_flag("--pdf", o.pdf, "Write report.pdf, too");
  c.add_option_function<std::string>("--error-growth", [&o](const std::string& count) {
    o.growth = count.empty() ? kGrowth : parseCount("--error-growth", count);
  }, "Keep the latents after every step of the first 8 (or so many) comparisons, and tell how the error grows")->expected(0, 1);
  c.add_option("--workers", o.workers, "Processes that share the work; any number of programs and hosts may share one --out, too")
      ->check(CLI::Range(1, 64))->capture_default_str();
  c.add_option("--devices", o.devices, "cpu or cuda:0,cuda:1: one for each worker, in turn")->check(deviceName())->delimiter(',');
  c.add_option("--preset", o.preset, "dit: the table of time, memory, FLOPs and FID of bf16 against int8-dynamic")->check(CLI::IsMember({"dit"}));
  c.add_option("--run", o.run, "")->group("");   // of a worker
}

void applyPreset(CompareOptions& options, const std::function<bool(const std::string&)>& given) {
  if (options.preset == "dit") applyDit(options, given);
  if (!given("--prompt") && !given("--prompts") && options.preset.empty()) throw std::invalid_argument("compare needs --prompt or --prompts");
  if (!options.devices.empty() && !given("--workers")) options.workers = options.devices.size();
}

}  // namespace quantspot::cli
