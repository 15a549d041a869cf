// One picture's peaks against the memory model, as one line of JSON:
//     quantspot_bench_memory MODEL PRECISION OFFLOAD WIDTH HEIGHT BATCH whole|tiled|sliced [told]
// `told`: what the model says, and nothing is drawn. Else a small picture is drawn before, so that the floor which is subtracted holds the libraries and their tables.
#include "engine/pipeline/memory_model.h"
#include "engine/pipeline/sampler.h"

#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>

using namespace quantspot;

namespace {

nlohmann::json draw(pipeline::Sampler& sampler, char** arguments, const protocol::Recipe& recipe, std::size_t batch) {
  pipeline::SampleRequest request{.model = arguments[1], .policy = quant::parsePolicy(arguments[2]), .recipe = recipe, .device = "cpu", .noise = {},
                                  .progress = {}, .cancel = nullptr};
  request.offload = pipeline::parseOffload(arguments[3]);
  if (request.offload != pipeline::Offload::None) request.packedCache = pipeline::defaultPackedCache();
  for (std::size_t i = 1; i < batch; ++i) {
    request.more.push_back(recipe);
    request.more.back().seed = recipe.seed + i;
  }
  request.observe.memory = true;
  return sampler.generateBatch(request).front().report;
}

nlohmann::json told(const pipeline::MemoryModel& model, std::string_view offload) {
  const pipeline::PlacementMemory& need = offload == "group" ? model.group : offload == "sequential" ? model.sequential : model.inTurn;
  nlohmann::json all;
  for (const auto& [name, phase] : {std::pair("encode", need.encode), {"denoise", need.denoise}, {"decode", need.decode}})
    all[name] = {{"weights", phase.weights}, {"activations", phase.activations}, {"reserve", phase.reserve}, {"total", phase.total()}};
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string decoding = count > 7 ? arguments[7] : "";
  const bool onlyTold = count == 9 && std::string_view(arguments[8]) == "told";
  if ((count != 8 && !onlyTold) || (decoding != "whole" && decoding != "tiled" && decoding != "sliced")) {
    std::fputs("usage: quantspot_bench_memory MODEL PRECISION OFFLOAD WIDTH HEIGHT BATCH whole|tiled|sliced [told]\n", stderr);
    return 2;
  }
  at::init_num_threads();
  protocol::Recipe recipe;
  recipe.prompt = "1";                   // a class, where classes are drawn
  recipe.steps = 1;
  recipe.width = recipe.height = 64;
  if (!onlyTold) draw(*std::make_unique<pipeline::Sampler>(), arguments, recipe, 1);
  recipe.prompt = "2";
  recipe.width = std::atoi(arguments[4]);
  recipe.height = std::atoi(arguments[5]);
  recipe.vae_tiling = decoding == "tiled";
  recipe.vae_slicing = decoding == "sliced";
  const auto batch = static_cast<std::size_t>(std::atoi(arguments[6]));
  nlohmann::json line = nlohmann::json::object();
  if (!onlyTold) {
    pipeline::Sampler sampler;
    const nlohmann::json report = draw(sampler, arguments, recipe, batch);
    line = {{"floor", report["floor_bytes"]}, {"peaks", report["peak_bytes"]}, {"seconds", report["seconds"]}, {"over_time", report["memory_over_time"]}};
  }
  line["told"] = told(pipeline::memoryModel(arguments[1], arguments[2], recipe, batch), arguments[3]);
  std::puts(line.dump().c_str());
}
