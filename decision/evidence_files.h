// Evidence from the disk.
#pragma once

#include "decision/evidence.h"

#include <filesystem>

namespace quantspot::decision {

// A report.json of a comparison, or the folder that holds it. Throws std::runtime_error, one line with the path.
void readComparison(Evidence& evidence, const std::filesystem::path& path);
// An analysis.json of a study, or the bundle with it. Throws std::runtime_error, one line with the path.
void readStudy(Evidence& evidence, const std::filesystem::path& path);

}  // namespace quantspot::decision
