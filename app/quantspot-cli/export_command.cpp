#include "app/quantspot-cli/export_command.h"

#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "app/quantspot-cli/recipe_options.h"
#include "app/usage.h"
#include "engine/service/service.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <memory>

namespace quantspot::cli {
namespace {

struct ExportArguments {
  protocol::ExportParams params;
  protocol::Recipe recipe;
  std::string parts;
};

std::atomic<bool> interrupted = false;   // a signal handler reaches nothing else

int write(protocol::ExportParams params) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });
  service::Service service({});
  ProgressBar bar(params.precision);
  service::Control control;
  control.cancel = &interrupted;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  const protocol::ExportResult made = service.exportVariant(params, control);
  printJson({{"out", made.out}, {"precision", params.precision}, {"bytes", made.bytes}, {"files", made.manifest["files"].size() + 1},
             {"images", made.manifest["images"].size()}});
  return 0;
}

void addRecipe(CLI::App& e, ExportArguments& a) {
  protocol::Recipe& r = a.recipe;
  e.add_option("--prompt", r.prompt, "What run.py renders (default: the recipe of the first judged picture)");
  e.add_option("--negative-prompt", r.negative_prompt);
  e.add_option("--seed", r.seed)->check(seedNumber())->capture_default_str();
  e.add_option("--steps", r.steps)->capture_default_str();
  addSize(e, r);
  e.add_option("--guidance", r.guidance);
  e.add_option("--true-cfg", r.true_cfg)->capture_default_str();
  e.add_option("--max-sequence-length", r.max_sequence_length);
  e.add_option("--scheduler", r.scheduler);
  e.add_option("--clip-skip", r.clip_skip)->capture_default_str();
  e.add_option("--guidance-rescale", r.guidance_rescale)->check(within(0, 1))->capture_default_str();
}

}  // namespace

void addExport(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<ExportArguments>();
  CLI::App& e =
      *app.add_subcommand("export", "Write a variant as files to deploy: a diffusers folder or a GGUF file, run.py, requirements.txt, manifest.json");
  e.add_option("--model", a->params.model, "Folder of a diffusers pipeline, a single .safetensors or .gguf file, or a name that 'models list' shows")
      ->check(notEmpty())->capture_default_str();
  e.add_option("--parts", a->parts, "As for generate");
  e.add_option("--precision", a->params.precision, "Id or policy")->required();
  e.add_option("--out", a->params.out, "A folder that is not there yet; it appears only when it is whole")->check(notEmpty())->required();
  e.add_option("--images", a->params.images,
               "The judged pictures: a comparison's folder or report.json, a picture with its report, or a folder of pictures");
  e.add_flag("--force", a->params.force, "Replace an earlier export; a folder that holds anything else is left alone");
  addRecipe(e, *a);
  e.callback([&run, &e, a] {
    if (e.count("--prompt") > 0) a->params.recipe = a->recipe;   // "" is a prompt, too
    run = [a] {
      lendParts(a->params.model, a->parts);
      return write(a->params);
    };
  });
}

}  // namespace quantspot::cli
