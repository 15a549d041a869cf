// One body of evidence from many sources.
#pragma once

#include "decision/evidence.h"

namespace quantspot::decision {

struct Found {
  Evidence evidence;                     // of one source
  bool chosen = false;                   // by hand, not found by the program
};

// Figure by figure the best source: one that was chosen by hand before one that was found, pictures of the size and number of steps that are asked
// (0: any) before others, then the one with more pictures or answers, then the later one. Changes against another reference than the best source's
// are left out. Sources are listed best first.
Evidence gathered(std::vector<Found> found, int steps = 0, int width = 0, int height = 0);

}  // namespace quantspot::decision
