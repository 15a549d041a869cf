#include "app/quantspot-cli/model_work.h"
#include "app/quantspot-cli/compare_options.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "app/usage.h"
#include "engine/pipeline/auto_precision.h"

namespace quantspot::cli {
namespace {

int runCompare(Arguments& a, const CLI::App& command) {
  CompareOptions& options = a.compare;
  lendParts(a.generate.params.model, a.parts);
  options.base = a.generate.params;
  options.precisions = splitPolicies(a.precisions);
  options.seeds = parseSeeds(a.seeds);
  options.batch = static_cast<std::size_t>(a.batch);
  options.out = a.out;
  options.prompts = a.promptsFile.empty()
      ? evaluation::PromptSet{"prompt", {{a.generate.params.recipe.prompt, "", ""}}}
      : evaluation::readPromptSet(a.promptsFile);
  applyPreset(options, [&](const std::string& name) { return command.count(name) > 0; });
  if (!options.devices.empty()) a.service.device = options.devices.front();   // what no worker draws
  service::Service service(a.service);
  return compare(service, options);
}

int inspect(Arguments& a) {
  lendParts(a.inspect.model, a.parts);
  service::Service service(a.service);
  ProgressBar bar(a.inspect.precision);
  service::Control control;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  printJson(service.inspect(a.inspect, control));
  return 0;
}

void addSensitivity(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& command = *app.add_subcommand("sensitivity", "Which layers suffer from a precision: each alone at it, by the error of the final latents");
  addRecipe(command, a);
  command.add_option("--precision", a.scan.precision, "What is tried, id or policy")->required();
  command.add_option("--reference", a.scan.reference, "What the rest has")->capture_default_str();
  CLI::App& prompts = *command.add_option_group("prompts")->require_option(1);
  prompts.add_option("--prompt", a.generate.params.recipe.prompt);
  prompts.add_option("--prompts", a.promptsFile, "A prompt per line");
  command.add_option("--seed", a.generate.params.recipe.seed, "Of the first prompt")->check(seedNumber())->capture_default_str();
  command.add_flag("--blocks", a.scan.blocks, "Blocks in place of single layers");
  command.add_option("--max-error", a.scan.max_error, "Find the smallest policy below this error of the latents")->check(positive());
  command.add_option_function<std::string>("--max-bytes", [&a](const std::string& size) { a.scan.max_bytes = pipeline::parseBytes(size); },
                                           "Find the best policy that holds the denoiser in this, such as 6GiB")->excludes("--max-error");
  command.callback([&] {
    run = [&] {
      lendParts(a.generate.params.model, a.parts);
      a.scan.model = a.generate.params.model;
      a.scan.recipe = a.generate.params.recipe;
      a.scan.prompts = a.promptsFile.empty() ? std::vector{a.generate.params.recipe.prompt} : readLines(a.promptsFile);
      service::Service service(a.service);
      return sensitivity(service, a.scan);
    };
  });
}

void addGenerate(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& g = *app.add_subcommand("generate", "Draw one picture at one precision");
  addRecipe(g, a);
  g.add_option("--precision", a.generate.params.precision, "Id or policy, such as bnb-nf4?skip=proj_out")->capture_default_str();
  g.add_option("--max-error", a.generate.params.max_error,
               "For --precision auto: highest error of the latents against bf16, for NF4 in as many blocks as that allows")
      ->check(positive());
  g.add_option("--prompt", a.generate.params.recipe.prompt)->required();
  g.add_option("--seed", a.generate.params.recipe.seed)->check(seedNumber())->capture_default_str();
  g.add_option("--out", a.generate.out, "The picture (PNG)")->check(notEmpty())->required();
  g.add_option("--report", a.generate.report, "The sample's report (JSON)");
  g.add_option("--latents-in", a.generate.latentsIn, "Starting noise (safetensors) in place of the seed's");
  g.add_option("--latents-out", a.generate.latentsOut, "Final latents, packed, float32 (safetensors)");
  g.callback([&] {
    run = [&] {
      lendParts(a.generate.params.model, a.parts);
      a.generate.batch = a.batch;
      service::Service service(a.service);
      return generate(service, a.generate);
    };
  });
}

void addCompare(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& c = *app.add_subcommand("compare", "Draw the same pictures at several precisions");
  addRecipe(c, a);
  c.add_option("--precisions", a.precisions, "Policies, separated by commas; the first is the baseline")->capture_default_str();
  c.add_option("--prompt", a.generate.params.recipe.prompt);
  c.add_option("--prompts", a.promptsFile, "A prompt per line, or a table with Category: PartiPrompts (TSV), DrawBench (CSV)")
      ->excludes("--prompt");
  c.add_option("--seeds", a.seeds, "7, 0..9 or 1,2,5")->capture_default_str();
  c.add_option("--out", a.out, "Folder for pictures, report.json, report.html and tables; a run that was interrupted goes on there")->check(notEmpty())->required();
  addCompareOptions(c, a.compare);
  c.callback([&] { run = [&] { return runCompare(a, c); }; });
}

void addInspect(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& i = *app.add_subcommand("inspect", "List a model's layers with precision and bytes");
  i.add_option("--model", a.inspect.model)->check(notEmpty())->capture_default_str();
  i.add_option("--parts", a.parts, "As for generate");
  i.add_option("--precision", a.inspect.precision)->capture_default_str();
  i.callback([&] { run = [&] { return inspect(a); }; });
}

void addQuantize(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& q = *app.add_subcommand("quantize", "Write a model in packed form, as the reference library of the precision loads it");
  q.add_option("--model", a.quantize.model,
               "Folder of a diffusers pipeline, a single .safetensors or .gguf file, or a name that 'models list' shows")
      ->check(notEmpty())->capture_default_str();
  q.add_option("--parts", a.parts, "As for generate");
  q.add_option("--precision", a.quantize.precision, "Id or policy, such as bnb-nf4?skip=proj_out or gguf-q4_k")->required();
  q.add_option("--scales", a.quantize.scales, "quanto-int8a8: report.json of a picture that was drawn with it and --calibrate");
  q.add_option("--out", a.quantize.out, "A folder that is not there yet; of a transformer in GGUF: the .gguf file")->check(notEmpty())->required();
  q.callback([&] {
    run = [&] {
      lendParts(a.quantize.model, a.parts);
      return quantize(a.quantize);
    };
  });
}

}  // namespace

void addModelWork(CLI::App& app, Arguments& a, std::function<int()>& run) {
  addGenerate(app, a, run);
  addCompare(app, a, run);
  addInspect(app, a, run);
  addQuantize(app, a, run);
  addSensitivity(app, a, run);
}

}  // namespace quantspot::cli
