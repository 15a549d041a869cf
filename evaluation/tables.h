// The numbers of report.json as CSV (RFC 4180, UTF-8, a header line).
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct Table {
  std::string name;                      // of its file, without ".csv"
  std::vector<std::vector<std::string>> rows;   // the first is the header
};

// samples, summary, thresholds, categories, steps, growth, growth_cosine, memory, flops, dit: those that have rows.
std::vector<Table> tablesOf(const nlohmann::json& report);
std::string csvText(const Table& table);
// FOLDER/<name>.csv of each; returns the paths.
std::vector<std::filesystem::path> writeTables(const nlohmann::json& report, const std::filesystem::path& folder);

}  // namespace quantspot::evaluation
