// The running score of one task.
#pragma once

#include "study/types.h"

namespace quantspot::study {

// Definition. Every tile counts once: in NameEach each named tile is a hit or a miss, in SpotOne the trial is. The slots
// are a uniform random permutation, so whatever a guesser answers, each tile is right with probability 1/m of m tiles:
// that is the chance level (its mean over tiles when trials of different m are summed).
// Tiles of one NameEach trial are not independent (naming three of four right fixes the fourth), so the interval, which
// treats them as independent, is up to √(m/(m−1)) too narrow: right for a running score, not for a study's verdict.
struct HitRate {
  Task task = Task::NameEach;
  int trials = 0, hits = 0, tiles = 0;
  double rate = 0, chance = 0;
  double low = 0, high = 1;           // Wilson, 95 %

  // "17/24, 71 % (chance 25 %, 95 % CI 51–85)"; empty without tiles.
  QString text() const;
};

// Sums the tallies of one task; the others are ignored.
HitRate hitRate(Task task, const std::vector<Tally>& tallies);

}  // namespace quantspot::study
