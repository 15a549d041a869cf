// Evidence from the disk.
#pragma once

#include "decision/evidence.h"

#include <filesystem>

namespace quantspot::decision {

// A report.json of a comparison, or the folder that holds it. Throws std::runtime_error, one line with the path.
void readComparison(Evidence& evidence, const std::filesystem::path& path);
// Of a study's bundle, of its analysis.json (or another JSON file), or of a folder: the newest of either in it. Throws std::runtime_error, one line
// with the path: a sealed bundle holds no analysis.
nlohmann::json readAnalysis(const std::filesystem::path& path);
// An analysis.json of a study, or the bundle with it. Throws std::runtime_error, one line with the path.
void readStudy(Evidence& evidence, const std::filesystem::path& path);

}  // namespace quantspot::decision
