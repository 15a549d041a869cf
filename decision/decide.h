// Which precision to deploy: what each needs and shows, against what is asked. Pure: the same question has the same answer.
//
// The order of answers is fixed before anything is asked: those that need no weights to travel in every step before those that do, then by
// fidelity. Fidelity is the PSNR against the reference where every candidate was measured, else the bits per weight. The answer is the first in
// that order that breaks no constraint. So it never gets worse when more is allowed.
#pragma once

#include "decision/evidence.h"
#include "decision/hardware.h"
#include "decision/memory.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace quantspot::decision {

struct Constraints {
  std::int64_t maxMemory = 0;                    // bytes; 0: what the hardware has
  double maxSeconds = 0;                         // per picture; 0: any
  std::optional<double> minClipChange = {};      // −0.05: the CLIP score may fall by 5 %; absent: any
  std::optional<double> minPsnr = {};            // dB against the reference; absent: any
  std::optional<double> maxLpips = {};           // against the reference; absent: any
  std::optional<double> minRating = {};          // people's mean grade, 1 to 5; absent: any
  std::optional<double> maxVisible = {};         // share of people that may notice, corrected for guessing; absent: any
  bool offload = true;                           // weights may travel in every step
};

struct Option {                                  // what may be chosen
  std::string precision;
  double bits = 16;                              // per weight
  MemoryEstimate memory;
};

struct Question {
  std::string model;
  Hardware hardware;
  Constraints constraints;
  std::vector<Option> options;
  Evidence evidence;
  int steps = 20, width = 0, height = 0;         // of the pictures to draw; size 0: not told
  std::int64_t reserve = 0;                      // bytes that are taken before a model is there: kGpuReserve, or the engine itself
};

enum class Verdict { Met, Unknown, Broken };
struct Check {
  std::string constraint;                        // "hardware", "memory", "time", "quality", "visibility", "rating"
  Verdict verdict = Verdict::Met;
  std::string text;                              // "needs 7.9 GiB of 12.0 GiB, its parts in turn"
  double figure = 0, limit = 0;                  // in bytes, seconds, shares or dB; both 0: there is no figure
};

struct Candidate {
  std::string precision;
  double bits = 0;
  Placement placement = Placement::Together;     // the fastest that fits; of one that does not fit: the smallest that is allowed
  std::int64_t needs = 0;                        // bytes in it
  std::vector<Check> checks;                     // in the order of the constraints; what was not asked is absent, but memory
  std::vector<std::string> binds;                // constraints that are broken
  bool possible() const { return binds.empty(); }
  bool certain() const;                          // nothing is unknown
  const Check* check(std::string_view constraint) const;
};

// One question on the way to the answer.
struct Node {
  std::string question;                          // "Which fit 12.0 GiB?"
  std::vector<std::string> figures;              // a line per precision that this decides
  std::string answer;                            // "7 of 10"
  std::vector<std::string> stay, leave;          // precisions
};

struct Change {
  std::string precision;                         // the answer then
  std::string constraint;
  double by = 0;                                 // how much more of it, in its unit
  std::string text;                              // "with 2.1 GiB more, bf16"
};

struct Decision {
  std::vector<Candidate> ranked;                 // possible ones first, each part in the order of answers
  std::optional<std::size_t> chosen;             // in `ranked`: 0; absent: nothing meets the constraints
  std::string sentence;
  std::vector<Node> path;                        // the tree, as far as it was followed
  std::vector<Change> changes;
  std::vector<std::string> unknown;              // what nobody measured, a sentence each
  std::string order;                             // what fidelity was ordered by
};

// Throws std::invalid_argument when there is no option, or a limit is negative or no number.
Decision decide(const Question& question);

// ranked, path, sentence, changes, unknown, evidence, hardware, constraints
nlohmann::json toJson(const Question& question, const Decision& decision);
std::string toText(const Question& question, const Decision& decision);      // for a terminal, lines of at most 150 columns

}  // namespace quantspot::decision
