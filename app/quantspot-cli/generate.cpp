#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/png.h"

#include <cstdio>

namespace quantspot::cli {

int generate(service::Service& service, const GenerateOptions& options) {
  for (const std::string& file : {options.out, options.report, options.latentsOut}) checkFolder(file);   // before minutes of work
  service::Control control;
  if (!options.latentsIn.empty()) control.noise = readLatents(options.latentsIn);
  pipeline::Sample sample;
  {
    ProgressBar bar(options.params.precision);
    control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    sample = service.sample(options.params, control);
  }
  for (const auto& line : sample.report["truncated"]) std::fprintf(stderr, "warning: %s\n", line.get<std::string>().c_str());
  pipeline::writeFile(options.out, pipeline::encodePng(sample.image));
  if (!options.report.empty()) writeJson(options.report, sample.report);
  if (!options.latentsOut.empty()) model::saveSafeTensors(options.latentsOut, {{"latents", sample.latents}});
  printJson({{"image", options.out}, {"precision", options.params.precision}, {"noise_sha256", sample.report["noise_sha256"]},
             {"image_sha256", sample.report["image_sha256"]}, {"seconds", sample.report["seconds"]["total"]}});
  return 0;
}

}  // namespace quantspot::cli
