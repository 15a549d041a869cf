#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/model/gguf_convert.h"
#include "engine/service/models.h"

#include <stdexcept>

namespace quantspot::cli {

int quantize(const QuantizeOptions& options) {
  const quant::Policy policy = quant::parsePolicy(options.precision);
  if (!policy.precision.starts_with("gguf-") && std::filesystem::path(options.out).extension() != ".gguf")
    throw std::invalid_argument("--precision " + policy.precision + " can be written only into a .gguf file so far, as bf16, fp16 and fp32 can");
  checkFolder(options.out);
  ProgressBar bar(options.precision);
  const auto summary = model::convertToGguf(service::resolveModel(options.model), policy, options.out, [&](std::size_t done, std::size_t total) {
    bar.show("quantize", static_cast<int>(done), static_cast<int>(total));
  });
  printJson({{"out", options.out}, {"precision", policy.text()}, {"bytes", summary.bytes}, {"tensors", summary.types}});
  return 0;
}

}  // namespace quantspot::cli
