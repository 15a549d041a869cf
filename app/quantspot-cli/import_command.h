// "import": pictures made elsewhere as a comparison.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

void addImport(CLI::App& app, std::function<int()>& run);   // when it is chosen it sets `run`

}  // namespace quantspot::cli
