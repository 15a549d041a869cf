// Which precisions nothing else beats in every respect.
#pragma once

#include "evaluation/summary.h"

#include <string>
#include <vector>

namespace quantspot::evaluation {

struct ParetoPoint {
  std::string precision;
  double quality = 0;        // higher is better: a figure where lower is better is negated
  double memory = 0, latency = 0;
  bool front = false;        // no other point is at least as good in all three and better in one
};

// Marks `front` in each. Points that are equal in all three do not beat each other.
void markFront(std::vector<ParetoPoint>& points);
// Of the precisions that have all three figures; `quality` is a figure id. For a figure against the baseline the baseline itself has no
// value: it is the best there is, unless something is better.
std::vector<ParetoPoint> paretoOf(const std::vector<PrecisionSummary>& summaries, const std::string& quality);
// What quality is by default: paired LPIPS below 2,048 pictures where it was taken, else the first of figures() that two precisions have; empty when
// there is none.
std::string qualityFigure(const std::vector<PrecisionSummary>& summaries);

nlohmann::json paretoJson(const std::vector<ParetoPoint>& points, const std::string& quality);

}  // namespace quantspot::evaluation
