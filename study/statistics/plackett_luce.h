// Abilities from rankings.
#pragma once

#include "study/statistics/bradley_terry.h"

namespace quantspot::statistics {

// Each ranking names items from best to worst, two or more of them, none twice. items[0] is the reference. Source: Plackett,
// Appl. Statist. 24 (1975); oracle: choix. Where no finite maximum exists, separated is set and the fit bias-reduced. Throws
// std::invalid_argument for a ranking with unknown or repeated items, and for items that no ranking connects.
Abilities plackettLuce(std::size_t items, const std::vector<std::vector<std::size_t>>& rankings, double level = 0.95);

}  // namespace quantspot::statistics
