// The report on paper: A4, text that can be selected and searched, charts as vectors.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace quantspot::evaluation {

struct PdfOptions {
  std::size_t comparisons = 24;          // rows of pictures, from the first; the rest are in the page
};

// report: as makeReport() gives it; folder: where its pictures lie. Throws std::runtime_error with the path when it cannot be written.
void writePdf(const nlohmann::json& report, const std::filesystem::path& folder, const std::filesystem::path& out, const PdfOptions& options = {});

}  // namespace quantspot::evaluation
