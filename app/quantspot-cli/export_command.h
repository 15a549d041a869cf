// "export": a judged variant as files to deploy.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

void addExport(CLI::App& app, std::function<int()>& run);   // when it is chosen it sets `run`

}  // namespace quantspot::cli
