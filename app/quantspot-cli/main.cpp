// quantspot-cli: the engine's service without a pipe. JSON goes to stdout, everything else to stderr.
#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/compare_options.h"
#include "app/quantspot-cli/export_command.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/import_command.h"
#include "app/quantspot-cli/metric_commands.h"
#include "app/quantspot-cli/model_commands.h"
#include "app/quantspot-cli/progress_bar.h"
#include "app/quantspot-cli/recommend.h"
#include "app/quantspot-cli/serve_command.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/protocol/base64.h"
#include "engine/service/errors.h"
#include "engine/service/models.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <optional>

using namespace quantspot;
using namespace quantspot::cli;

namespace {

struct Arguments {
  service::ServiceOptions service;
  GenerateOptions generate{.params = {.model = "default", .precision = "bf16", .recipe = {}, .offload = "none"}, .out = {}, .report = {}, .latentsIn = {}, .latentsOut = {}};
  protocol::InspectParams inspect;
  protocol::ScanParams scan;
  QuantizeOptions quantize;
  CompareOptions compare;
  int batch = 1;
  std::string parts, out, promptsFile, precisions = "bf16,fp8-layerwise,bnb-int8,bnb-nf4", seeds = "0";
};

// Of Stable Diffusion and SDXL.
void addDiffusionOptions(CLI::App& command, protocol::Recipe& r) {
  const auto pair = [&](const char* name, std::optional<std::array<int, 2>>& value, const char* help) {
    command.add_option_function<std::string>(name, [&value](const std::string& text) { value = parsePair(text); }, help);
  };
  command.add_option("--guidance-rescale", r.guidance_rescale,
                     "How far guidance may change the prediction's deviation, 0 to 1: 0 leaves it as it is")->capture_default_str();
  command.add_option("--clip-skip", r.clip_skip, "Last layers of CLIP to leave out")->capture_default_str();
  command.add_flag("--prompt-weights", r.prompt_weights, "\"(word:1.2)\" in the prompts weighs words");
  command.add_flag("--vae-tiling", r.vae_tiling, "The autoencoder works tile by tile: less memory, a slightly other picture");
  command.add_flag("--vae-slicing", r.vae_slicing, "The autoencoder works picture by picture");
  pair("--original-size", r.original_size, "SDXL: size WxH that the picture is said to come from (default: its own)");
  pair("--target-size", r.target_size, "SDXL: size WxH that it is said to have (default: its own)");
  pair("--crop", r.crop, "SDXL: corner X,Y of the part that it is said to be (default 0,0)");
}

void addRecipe(CLI::App& command, Arguments& a) {
  protocol::Recipe& r = a.generate.params.recipe;
  command.add_option("--model", a.generate.params.model, "Folder of a diffusers pipeline, a single .safetensors or .gguf file, or a name that 'models list' shows")->capture_default_str();
  command.add_option("--parts", a.parts, "Where --model is one .safetensors or .gguf file: a folder (or name) that lends what it lacks");
  command.add_option("--negative-prompt", r.negative_prompt, "What the picture should be led away from; FLUX needs --true-cfg above 1 for it");
  command.add_option("--steps", r.steps, "Denoising steps")->capture_default_str();
  r.width = r.height = 0;
  command.add_option("--width", r.width, "Pixels, a multiple of 8 (FLUX: of 16); default: what the model was made for, where it says so, else 128");
  command.add_option("--height", r.height, "Pixels, a multiple of 8 (FLUX: of 16); default: as of --width");
  command.add_option("--guidance", r.guidance,
                     "The family's own guidance (default: FLUX 3.5, embedded; SDXL 5, Stable Diffusion 7.5, classifier-free)");
  command.add_option("--true-cfg", r.true_cfg, "FLUX: scale of classifier-free guidance with a second pass")->capture_default_str();
  command.add_option("--max-sequence-length", r.max_sequence_length, "T5 tokens (default: what the model was made for, else 512)");
  command.add_option("--scheduler", r.scheduler, "Id (default: the model's own)");
  addDiffusionOptions(command, r);
  command.add_option_function<std::vector<std::string>>("--lora", [&a](const std::vector<std::string>& files) {
    for (const std::string& file : files) a.generate.params.loras.push_back(parseLora(file));
  }, "LoRA beside the packed weights, FILE or FILE:scale; may be given several times");
  command.add_option_function<std::string>("--max-memory", [&a](const std::string& size) { a.generate.params.max_memory = pipeline::parseBytes(size); },
                                           "For --precision auto, such as 6GiB (default: what is free)");
  command.add_option_function<std::string>("--calibrate", [&a](const std::string& file) { a.generate.params.calibration = readLines(file); },
                                           "File of prompts that find the scales of 8-bit activations (quanto-int8a8)");
  command.add_option_function<std::string>("--image", [&a](const std::string& file) { a.generate.params.image = protocol::toBase64(readFile(file)); },
                                           "Image to image: the picture to start from, of the size that is drawn");
  command.add_option("--strength", a.generate.params.recipe.strength, "Image to image: how much of the way from noise is gone, 0 to 1 (default: SDXL 0.3, FLUX and SD 3 0.6, others 0.8)");
  command.add_option("--batch", a.batch, "Pictures drawn in one pass, each as its own seed alone gives it")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_flag("!--no-cache", a.generate.params.cache, "Pack the weights anew, and keep nothing of them on disk");
  command.add_option("--offload", a.generate.params.offload, "What of a part is in memory at once: none or model (all), group (a block and the next), sequential (a layer)")
      ->capture_default_str();
  command.add_option("--threads", a.service.threads, "CPU threads (default: all cores)")->check(CLI::PositiveNumber);
  command.add_option("--device", a.service.device, "cpu or cuda:0")->capture_default_str();
}

int runCompare(Arguments& a, const CLI::App& command) {
  CompareOptions& options = a.compare;
  options.base = a.generate.params;
  options.precisions = splitPolicies(a.precisions);
  options.seeds = parseSeeds(a.seeds);
  options.batch = static_cast<std::size_t>(a.batch);
  options.out = a.out;
  options.prompts = a.promptsFile.empty() ? evaluation::PromptSet{"prompt", {{a.generate.params.recipe.prompt, "", ""}}} : evaluation::readPromptSet(a.promptsFile);
  applyPreset(options, [&](const std::string& name) { return command.count(name) > 0; });
  service::Service service(a.service);
  return compare(service, options);
}

int inspect(const Arguments& a) {
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
  command.add_option("--seed", a.generate.params.recipe.seed, "Of the first prompt")->capture_default_str();
  command.add_flag("--blocks", a.scan.blocks, "Blocks in place of single layers");
  command.add_option("--max-error", a.scan.max_error, "Find the smallest policy below this error of the latents")->check(CLI::PositiveNumber);
  command.add_option_function<std::string>("--max-bytes", [&a](const std::string& size) { a.scan.max_bytes = pipeline::parseBytes(size); },
                                           "Find the best policy that holds the denoiser in this, such as 6GiB")->excludes("--max-error");
  command.callback([&] {
    run = [&] {
      a.scan.model = a.generate.params.model;
      a.scan.recipe = a.generate.params.recipe;
      a.scan.prompts = a.promptsFile.empty() ? std::vector{a.generate.params.recipe.prompt} : readLines(a.promptsFile);
      service::Service service(a.service);
      return sensitivity(service, a.scan);
    };
  });
}

// Each command sets `run`; CLI11 has checked then that everything required is there.
void addCommands(CLI::App& app, Arguments& a, std::function<int()>& run) {
  CLI::App& g = *app.add_subcommand("generate", "Draw one picture at one precision");
  addRecipe(g, a);
  g.add_option("--precision", a.generate.params.precision, "Id or policy, such as bnb-nf4?skip=proj_out")->capture_default_str();
  g.add_option("--max-error", a.generate.params.max_error, "For --precision auto: highest error of the latents against bf16, for NF4 in as many blocks as that allows")
      ->check(CLI::PositiveNumber);
  g.add_option("--prompt", a.generate.params.recipe.prompt)->required();
  g.add_option("--seed", a.generate.params.recipe.seed)->capture_default_str();
  g.add_option("--out", a.generate.out, "The picture (PNG)")->required();
  g.add_option("--report", a.generate.report, "The sample's report (JSON)");
  g.add_option("--latents-in", a.generate.latentsIn, "Starting noise (safetensors) in place of the seed's");
  g.add_option("--latents-out", a.generate.latentsOut, "Final latents, packed, float32 (safetensors)");
  g.callback([&] { run = [&] { service::Service service(a.service); a.generate.batch = a.batch; return generate(service, a.generate); }; });

  CLI::App& c = *app.add_subcommand("compare", "Draw the same pictures at several precisions");
  addRecipe(c, a);
  c.add_option("--precisions", a.precisions, "Policies, separated by commas; the first is the baseline")->capture_default_str();
  c.add_option("--prompt", a.generate.params.recipe.prompt);
  c.add_option("--prompts", a.promptsFile, "A prompt per line, or a table with Category: PartiPrompts (TSV), DrawBench (CSV)")->excludes("--prompt");
  c.add_option("--seeds", a.seeds, "7, 0..9 or 1,2,5")->capture_default_str();
  c.add_option("--out", a.out, "Folder for pictures, report.json, report.html and tables; a run that was interrupted goes on there")->required();
  addCompareOptions(c, a.compare);
  c.callback([&] { run = [&] { return runCompare(a, c); }; });

  CLI::App& i = *app.add_subcommand("inspect", "List a model's layers with precision and bytes");
  i.add_option("--model", a.inspect.model)->capture_default_str();
  i.add_option("--parts", a.parts, "As for generate");
  i.add_option("--precision", a.inspect.precision)->capture_default_str();
  i.callback([&] { run = [&] { return inspect(a); }; });

  CLI::App& q = *app.add_subcommand("quantize", "Write a model in packed form, as the reference library of the precision loads it");
  q.add_option("--model", a.quantize.model, "Folder of a diffusers pipeline, a single .safetensors or .gguf file, or a name that 'models list' shows")->capture_default_str();
  q.add_option("--parts", a.parts, "As for generate");
  q.add_option("--precision", a.quantize.precision, "Id or policy, such as bnb-nf4?skip=proj_out or gguf-q4_k")->required();
  q.add_option("--out", a.quantize.out, "A folder that is not there yet; of a transformer in GGUF: the .gguf file")->required();
  q.callback([&] { run = [&] { return quantize(a.quantize); }; });

  addSensitivity(app, a, run);

  addMetrics(app, run);
  addExport(app, run);
  addServe(app, run);
  addRecommend(app, run);
  addImport(app, run);
  addModels(app, run);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("QuantSpot without a window: generate, compare and measure quantized diffusion models");
  app.set_version_flag("--version", QUANTSPOT_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  arguments.compare.command.assign(argv, argv + argc);
  std::function<int()> run;
  addCommands(app, arguments, run);
  try {
    app.parse(argc, argv);
    if (!arguments.parts.empty())
      for (std::string* given : {&arguments.generate.params.model, &arguments.inspect.model, &arguments.quantize.model})
        if (*given != "default") *given += "?parts=" + arguments.parts;
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  } catch (...) {
    const protocol::RpcError error = service::describe(std::current_exception());
    std::fprintf(stderr, "quantspot-cli: %s\n", error.what());
    return error.code == protocol::InvalidParams ? 2 : 1;
  }
}
