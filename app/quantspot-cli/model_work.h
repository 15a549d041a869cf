// "generate", "compare", "inspect", "quantize", "sensitivity": the commands that load a model and draw or list it.
#pragma once

#include "app/quantspot-cli/recipe_options.h"

#include <functional>

namespace quantspot::cli {

// The chosen one sets `run`; CLI11 has checked then that everything required is there. `a` outlives both.
void addModelWork(CLI::App& app, Arguments& a, std::function<int()>& run);

}  // namespace quantspot::cli
