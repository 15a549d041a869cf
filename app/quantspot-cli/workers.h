// Further processes of this program that draw cells of the same evaluation.
#pragma once

#include "app/quantspot-cli/commands.h"
#include "evaluation/work.h"

namespace quantspot::cli {

// Starts them, shows how far they are, and returns when all have ended. Cells of one that was killed have failed, with the reason.
void runWorkers(const CompareOptions& options, const std::string& run, const evaluation::Plan& plan, evaluation::Store& store, evaluation::Claims& claims,
                evaluation::Work& work);

// The command line of worker `index`: as the program was called, with its own device and threads. For tests.
std::vector<std::string> workerCommand(const CompareOptions& options, const std::string& run, std::size_t index, unsigned cores);

}  // namespace quantspot::cli
