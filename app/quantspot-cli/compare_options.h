// What `compare` can be told beside the recipe.
#pragma once

#include "app/quantspot-cli/commands.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace quantspot::cli {

void addCompareOptions(CLI::App& command, CompareOptions& options);
// Sets what the user did not: `given` tells whether an option was on the command line. Throws std::invalid_argument when prompts are
// neither given nor known.
void applyPreset(CompareOptions& options, const std::function<bool(const std::string&)>& given);

}  // namespace quantspot::cli
