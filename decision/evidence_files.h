// Evidence from the disk.
#pragma once

#include "decision/evidence.h"

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::decision {

// A report.json of a comparison, or the folder that holds it. Throws std::runtime_error, one line with the path.
// Returns the model that the report names; empty: it names none.
std::string readComparison(Evidence& evidence, const std::filesystem::path& path);
// Of a study's bundle, of its analysis.json (or another JSON file), or of a folder: the newest of either in it. Throws std::runtime_error, one line
// with the path: a sealed bundle holds no analysis.
nlohmann::json readAnalysis(const std::filesystem::path& path);
// An analysis.json of a study, or the bundle with it. Throws std::runtime_error, one line with the path.
void readStudy(Evidence& evidence, const std::filesystem::path& path);

// People's ratings: what readAnalysis reads, of a study with rating trials, or {"bnb-nf4": {"value": 4.2, "ci95": [4.0, 4.4], "n": 12}}. Throws
// std::runtime_error, one line with the path.
void readRatings(Evidence& evidence, const std::filesystem::path& path);

// Comparisons' report.json in this folder and at most two levels below it, newest first. A folder that cannot be read holds none.
std::vector<std::filesystem::path> findComparisons(const std::filesystem::path& folder, std::size_t most = 24);

}  // namespace quantspot::decision
