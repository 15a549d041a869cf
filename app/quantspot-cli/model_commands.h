// "models list", "models path", "models download".
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

void addModels(CLI::App& app, std::function<int()>& run);   // the chosen one sets `run`

}  // namespace quantspot::cli
