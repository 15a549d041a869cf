// quantspot-engine: draws pictures on request. JSON-RPC 2.0 in Content-Length frames on stdin and stdout; see
// engine/protocol/schema.json.
#include "app/usage.h"
#include "engine/protocol/address_space.h"
#include "engine/service/errors.h"
#include "engine/service/service.h"
#include "engine/service/stdio.h"

#include <cstdio>

QUANTSPOT_NEEDS_ADDRESS_SPACE("quantspot-engine", quantspot::protocol::kLibrariesTake);

int main(int argc, char** argv) {
  CLI::App app("QuantSpot's engine: JSON-RPC 2.0 on stdin and stdout");
  quantspot::service::ServiceOptions options;
  app.add_option("--threads", options.threads, "CPU threads (default: all cores)")->check(quantspot::cli::threadCount());
  app.add_option("--device", options.device, "cpu or cuda:0")->check(quantspot::cli::deviceName());
  app.set_version_flag("--version", QUANTSPOT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return quantspot::cli::endOfParsing(app, error, "quantspot-engine");
  }
  try {
    quantspot::service::Service service(options);
    return serveStdio(service);
  } catch (...) {
    std::fprintf(stderr, "quantspot-engine: %s\n", quantspot::service::describe(std::current_exception()).what());
    return 1;
  }
}
