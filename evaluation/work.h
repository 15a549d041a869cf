// Hands out the cells of a plan that are still to be drawn. Several of these, in any number of programs, share one store.
#pragma once

#include "evaluation/claims.h"
#include "evaluation/plan.h"
#include "evaluation/store.h"

#include <map>
#include <string>
#include <vector>

namespace quantspot::evaluation {

struct WorkOptions {
  std::string run;                       // failures are those of this run; a later one tries again
  std::size_t batch = 1;                 // seeds of one pass
  std::size_t withLatents = 0;           // so many comparisons, from the first, need latents of each call
};

struct WorkState { std::size_t cells = 0, finished = 0, failed = 0, before = 0; };   // before: finished when work began

// Not thread-safe; plan, store and claims outlive it.
class Work {
 public:
  Work(const Plan& plan, Store& store, Claims& claims, WorkOptions options);

  // Cells of one prompt and one precision that nobody draws, claimed for the caller: up to `batch`, never more. Empty: there is nothing to
  // take now (look at complete(): others may still be drawing).
  // WriteError: the disk takes no claim.
  std::vector<Cell> next();
  // Claims this one; false when it is finished, failed or somebody else's.
  bool take(const Cell& cell) { return states_[indexOf(cell)] == State::Open && claim(indexOf(cell)); }
  void done(const Cell& cell, const Drawn& drawn);        // kept, and its claim given back
  void failed(const Cell& cell, const std::string& why);
  void giveBack(const Cell& cell);                        // not drawn: cancelled
  bool complete();                                        // every cell is finished or failed; looks at what others did
  const WorkState& state() const { return counts_; }
  const std::string& run() const { return options_.run; }
  bool wantsLatents(const Cell& cell) const;
  // The cells of one comparison are watched more closely (memory over time): of the second, where there is one, for an engine that has just
  // begun takes more than it keeps.
  bool isWatched(const Cell& cell) const;
  enum class State { Open, Finished, Failed };
  State stateOf(const Cell& cell) const { return states_[indexOf(cell)]; }
  // Cells left, per precision index.
  std::map<std::size_t, std::size_t> left() const;

 private:
  std::size_t indexOf(const Cell& cell) const;
  void look(std::size_t index);
  void set(std::size_t index, State state);
  bool claim(std::size_t index);

  const Plan& plan_;
  Store& store_;
  Claims& claims_;
  WorkOptions options_;
  std::vector<State> states_;            // by cell
  WorkState counts_;
};

}  // namespace quantspot::evaluation
