// quantspot-cli: the engine's service without a pipe. JSON goes to stdout, everything else to stderr.
#include "app/quantspot-cli/export_command.h"
#include "app/quantspot-cli/import_command.h"
#include "app/quantspot-cli/metric_commands.h"
#include "app/quantspot-cli/model_commands.h"
#include "app/quantspot-cli/model_work.h"
#include "app/quantspot-cli/recommend.h"
#include "app/quantspot-cli/serve_command.h"
#include "app/usage.h"
#include "engine/protocol/address_space.h"
#include "engine/service/errors.h"

#include <cstdio>

using namespace quantspot;
using namespace quantspot::cli;

QUANTSPOT_NEEDS_ADDRESS_SPACE("quantspot-cli", quantspot::protocol::kLibrariesTake);

namespace {

void addCommands(CLI::App& app, Arguments& a, std::function<int()>& run) {
  addModelWork(app, a, run);
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
    return run();
  } catch (const CLI::ParseError& error) {
    return endOfParsing(app, error, "quantspot-cli");
  } catch (...) {
    const protocol::RpcError error = service::describe(std::current_exception());
    std::fprintf(stderr, "quantspot-cli: %s\n", error.what());
    return error.code == protocol::InvalidParams ? 2 : 1;
  }
}
