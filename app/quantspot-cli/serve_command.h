// "serve": one variant behind HTTP.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

void addServe(CLI::App& app, std::function<int()>& run);   // when it is chosen it sets `run`

}  // namespace quantspot::cli
