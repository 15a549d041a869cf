#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"
#include "engine/pipeline/quantize_model.h"
#include "engine/service/models.h"

namespace quantspot::cli {

int quantize(const QuantizeOptions& options) {
  checkFolder(options.out);
  pipeline::QuantizeRequest request{service::resolveModel(options.model), options.out, quant::parsePolicy(options.precision)};
  pipeline::QuantizeResult result;
  {
    ProgressBar bar(options.precision);
    request.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
    result = pipeline::quantizeModel(request);
  }
  printJson({{"path", options.out.string()}, {"precision", options.precision}, {"bytes", result.bytes}, {"bytes_before", result.was},
             {"packed", result.packed.size()}, {"kept", result.kept}});
  return 0;
}

}  // namespace quantspot::cli
