#include "app/quantspot-cli/commands.h"
#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/progress_bar.h"

namespace quantspot::cli {

int sensitivity(service::Service& service, const protocol::ScanParams& params) {
  ProgressBar bar(params.precision);
  service::Control control;
  control.progress = [&](const std::string& stage, int step, int steps) { bar.show(stage, step, steps); };
  printJson(service.scan(params, control));
  return 0;
}

}  // namespace quantspot::cli
