// Which of the metrics that an engine offers an evaluation takes.
#pragma once

#include "engine/protocol/messages.h"
#include "evaluation/figures.h"

#include <string>
#include <vector>

namespace quantspot::evaluation {

using Metric = protocol::OfferedMetric;   // its id is one of figures.h

struct MetricChoice {
  std::vector<Metric> cells, sets;       // of single pictures; of all pictures of a precision
  std::vector<Metric> lacking;           // not measured (not ready), or with something smaller: `needs` names the weights
};

// names: ids; "lpips-alex" is "lpips". None: all that needs no download, without those that say the same again (clip-image, CMMD of the small CLIP)
// and those that the size (0: unknown) is too small for. Throws std::invalid_argument: a name that is not offered, or whose weights are not there
// (with the command that fetches them).
MetricChoice chooseMetrics(const std::vector<Metric>& offered, const std::vector<std::string>& names, int width, int height);
// What asks an engine for it; the pictures and the prompt are the caller's to fill in. model: whose small CLIP scores.
protocol::ScoreParams scoreParams(const Metric& metric, const std::string& model);
std::vector<std::string> namesOf(const MetricChoice& choice);

// One line of what weights would add, with the command; empty when nothing is lacking.
std::string lackingText(const MetricChoice& choice);
// Figure → label, where something smaller stands in: {"clip": "CLIP-tiny score"}.
Labels labelsOf(const MetricChoice& choice);

}  // namespace quantspot::evaluation
