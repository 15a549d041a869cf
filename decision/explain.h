// What the decision says of itself.
#pragma once

#include "decision/decide.h"

namespace quantspot::decision {

// Of a decision whose `ranked` and `chosen` are there.
std::vector<Node> followedPath(const Question& question, const Decision& decision);
std::string decidingSentence(const Question& question, const Decision& decision);
std::vector<std::string> unknownFacts(const Question& question, const Decision& decision);

}  // namespace quantspot::decision
