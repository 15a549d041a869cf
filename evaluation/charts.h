// The charts of a report, drawn by one code for the page and for the PDF.
#pragma once

#include "evaluation/plot.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct Chart {
  std::string id, title;
  std::function<void(Canvas&, Box)> draw;      // refers to the report, which must outlive it
};

// quality (against memory, size: time; the front joined), categories, prompts, steps, memory, growth: those that the report has numbers for.
// Marks link to "#p<precision>" and "#c<comparison>", the places that htmlReport() makes.
std::vector<Chart> chartsOf(const nlohmann::json& report);

}  // namespace quantspot::evaluation
