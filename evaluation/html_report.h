// The page of an evaluation: one file, no scripts, nothing from elsewhere.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace quantspot::evaluation {

struct HtmlOptions {
  std::size_t embedded = std::size_t{96} << 20;   // bytes of pictures that are put into the page; the rest are links to the files beside it
};

// report: as makeReport() gives it; folder: where its pictures lie. Each picture is in the page once, small, and opens in full size where
// it is pressed. A picture that cannot be read is named in its place.
std::string htmlReport(const nlohmann::json& report, const std::filesystem::path& folder, const HtmlOptions& options = {});

// Of summary and thresholds, for every form of the report: header, then a row per precision.
struct TextTable {
  std::vector<std::vector<std::string>> rows;
  std::map<std::pair<std::size_t, std::size_t>, std::string> cautions;   // row, column: why the figure must not be trusted
};
TextTable summaryTable(const nlohmann::json& report);

}  // namespace quantspot::evaluation
