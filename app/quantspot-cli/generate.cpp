#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/png.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>

#include <cstdio>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;

// The file of one picture of a batch: a.png is a-seed7.png.
fs::path fileOf(const fs::path& path, const GenerateOptions& options, std::uint64_t seed) {
  return options.batch == 1 ? path : path.parent_path() / fmt::format("{}-seed{}{}", path.stem().string(), seed, path.extension().string());
}

std::vector<pipeline::Sample> draw(service::Service& service, const GenerateOptions& options) {
  service::Control control;
  if (!options.latentsIn.empty()) control.noise = readLatents(options.latentsIn);
  ProgressBar bar(options.params.precision);
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  std::vector<protocol::Recipe> more;
  for (int i = 1; i < options.batch; ++i) more.emplace_back(options.params.recipe).seed += static_cast<std::uint64_t>(i);
  return service.batch(options.params, std::move(more), control);
}

nlohmann::json save(const pipeline::Sample& sample, const GenerateOptions& options) {
  const nlohmann::json& report = sample.report;
  for (const auto& line : report["truncated"]) std::fprintf(stderr, "warning: %s\n", line.get<std::string>().c_str());
  const auto seed = report["recipe"]["seed"].get<std::uint64_t>();
  const fs::path image = fileOf(options.out, options, seed);
  pipeline::writeFile(image, pipeline::encodePng(sample.image));
  if (!options.report.empty()) writeJson(fileOf(options.report, options, seed), report);
  return {{"image", image.string()}, {"precision", options.params.precision}, {"noise_sha256", report["noise_sha256"]},
          {"image_sha256", report["image_sha256"]}, {"seconds", report["seconds"]["total"]}};
}

}  // namespace

int generate(service::Service& service, const GenerateOptions& options) {
  for (const std::string& file : {options.out, options.report, options.latentsOut}) checkFile(file);   // before minutes of work
  const std::vector<pipeline::Sample> samples = draw(service, options);
  nlohmann::json saved = nlohmann::json::array();
  std::vector<at::Tensor> latents;
  for (const pipeline::Sample& sample : samples) {
    saved.push_back(save(sample, options));
    latents.push_back(sample.latents);
  }
  if (!options.latentsOut.empty()) model::saveSafeTensors(options.latentsOut, {{"latents", at::cat(latents)}});
  printJson(options.batch == 1 ? saved.front() : saved);
  return 0;
}

}  // namespace quantspot::cli
