// "score", "metrics list", "metrics download".
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

void addMetrics(CLI::App& app, std::function<int()>& run);   // the chosen one sets `run`

}  // namespace quantspot::cli
