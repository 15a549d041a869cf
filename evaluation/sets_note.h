// What the distances between sets of a report are, in a few sentences: for its pages.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace quantspot::evaluation {

// Which distances, to what, and what pairsNote() says; empty where there are none.
std::string setsNote(const nlohmann::json& report);
// Of KID and CMMD against the baseline: that they go by pairs, and which precisions they do not tell from it. Empty where they were not taken.
std::string pairsNote(const nlohmann::json& report);

}  // namespace quantspot::evaluation
