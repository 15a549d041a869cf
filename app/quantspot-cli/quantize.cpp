#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/model/config.h"
#include "engine/model/gguf_convert.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/pipeline/whole_folder.h"
#include "engine/pipeline/written_bytes.h"
#include "engine/service/models.h"

namespace quantspot::cli {
namespace {

nlohmann::json writeGguf(const QuantizeOptions& options, const quant::Policy& policy) {
  checkFile(options.out);
  if (std::filesystem::exists(options.out)) throw std::invalid_argument(options.out.string() + " is already there; give a path that is not");
  const std::filesystem::path folder = service::resolveModel(options.model);
  pipeline::checkRoom(options.out, pipeline::packedBytes(folder, policy));
  ProgressBar bar(options.precision);
  const auto summary = model::convertToGguf(folder, policy, options.out, [&](std::size_t done, std::size_t total) {
    bar.show("quantize", static_cast<int>(done), static_cast<int>(total));
  });
  return {{"out", options.out.string()}, {"precision", policy.text()}, {"bytes", summary.bytes}, {"tensors", summary.types}};
}

nlohmann::json writePipeline(const QuantizeOptions& options, const quant::Policy& policy) {
  ProgressBar bar(options.precision);
  pipeline::QuantizeRequest request{service::resolveModel(options.model), options.out, policy};
  if (!options.scales.empty())
    request.scales = pipeline::activationScales(model::readJson(options.scales).value("activation_scales", nlohmann::json::object()));
  request.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  const pipeline::QuantizeResult result = pipeline::quantizeModel(request);
  return {{"out", options.out.string()}, {"precision", policy.text()}, {"bytes", result.bytes}, {"bytes_before", result.was},
          {"packed", result.packed.size()}, {"kept", result.kept}};
}

}  // namespace

int quantize(const QuantizeOptions& options) {
  const quant::Policy policy = quant::parsePolicy(options.precision);
  checkFolder(options.out);
  const bool gguf = policy.precision.starts_with("gguf-") || options.out.extension() == ".gguf";
  printJson(gguf ? writeGguf(options, policy) : writePipeline(options, policy));
  return 0;
}

}  // namespace quantspot::cli
