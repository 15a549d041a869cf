// "quantspot-cli recommend": which precision to deploy, and why.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace quantspot::cli {

// Adds the command; it sets `run` when it is given.
void addRecommend(CLI::App& app, std::function<int()>& run);

}  // namespace quantspot::cli
