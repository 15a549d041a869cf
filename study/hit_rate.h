// The running score of one task.
#pragma once

#include "study/types.h"

namespace quantspot::study {

// Definition. Every tile counts once: in NameEach each named tile is a hit or a miss, in SpotOne the trial is. The slots
// are a uniform random permutation, so whatever a guesser answers, each tile is right with probability 1/m of m tiles:
// that is the chance level (its mean over tiles when trials of different m are summed).
// Tiles of one NameEach trial are not independent (naming three of four right fixes the fourth; some pictures show all, others nothing), so for the
// interval a trial counts once, with the share of its tiles that were right: never too narrow, up to √m too wide.
struct HitRate {
  Task task = Task::NameEach;
  int trials = 0, hits = 0, tiles = 0;
  double rate = 0, chance = 0;
  double low = 0, high = 1;           // Clopper–Pearson, 95 %

  // "17/24, 71 % (chance 25 %, 95 % CI 28–96)"; empty without tiles.
  QString text() const;
};

// What text() counts and which interval it gives, for a tip beside it.
QString hitRateMethod();

// Sums the tallies of one task; the others are ignored.
HitRate hitRate(Task task, const std::vector<Tally>& tallies);

}  // namespace quantspot::study
