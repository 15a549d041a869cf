#include "decision/decide.h"

#include "decision/checks.h"
#include "decision/explain.h"
#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace quantspot::decision {
namespace {

void check(const Question& question) {
  const Constraints& limits = question.constraints;
  if (question.options.empty()) throw std::invalid_argument("there is no precision to choose from");
  const bool wrong = limits.maxMemory < 0 || !(limits.maxSeconds >= 0) || !std::isfinite(limits.maxSeconds) ||
                     !std::isfinite(limits.minClipChange.value_or(0)) || !std::isfinite(limits.minPsnr.value_or(0)) ||
                     !(limits.maxVisible.value_or(0) >= 0) || !(limits.maxLpips.value_or(0) >= 0);
  if (wrong) throw std::invalid_argument("a limit is negative or no number");
  if (const double grade = limits.minRating.value_or(1); !(grade >= 1 && grade <= 5))
    throw std::invalid_argument(fmt::format("a rating of {} cannot be asked; grades are 1 to 5", grade));
  if (memoryLimit(question) <= 0) throw std::invalid_argument("how much memory there is, is not known; say it (--max-memory 12GiB)");
}

// Higher is nearer to the reference.
class Fidelity {
 public:
  explicit Fidelity(const Question& question) : evidence_(question.evidence) {
    measured_ = !evidence_.reference.empty() &&
                std::ranges::all_of(question.options, [&](const Option& option) {
                  return isReference(option.precision) || evidence_.of(option.precision).psnr;
                });
  }
  double operator()(const Candidate& candidate) const {
    if (!measured_) return candidate.bits;
    return isReference(candidate.precision) ? std::numeric_limits<double>::infinity() : evidence_.of(candidate.precision).psnr->value;
  }
  const char* name() const { return measured_ ? "PSNR against the reference" : "bits per weight"; }

 private:
  bool isReference(const std::string& precision) const { return precision == evidence_.reference; }

  const Evidence& evidence_;
  bool measured_ = false;
};

std::vector<Candidate> rank(const Question& question, const Fidelity& fidelity) {
  std::vector<Candidate> all;
  for (const Option& option : question.options) all.push_back(assess(question, option));
  const auto before = [&](const Candidate& a, const Candidate& b) {
    if (a.possible() != b.possible()) return a.possible();
    if (a.possible() && isOffload(a.placement) != isOffload(b.placement)) return isOffload(b.placement);
    return fidelity(a) != fidelity(b) ? fidelity(a) > fidelity(b) : a.needs < b.needs;
  };
  std::ranges::stable_sort(all, before);
  return all;
}

std::string answerTo(const Question& question) {
  const std::vector<Candidate> ranked = rank(question, Fidelity(question));
  return ranked.front().possible() ? ranked.front().precision : "";
}

void setMemory(Question& question, std::int64_t bytes) {
  question.constraints.maxMemory = bytes;
  question.hardware.memory = bytes;
}

// What the answer is once this constraint lets `candidate` pass.
std::optional<Change> changeFor(const Question& asked, const Candidate& candidate, const Check& broken) {
  Question question = asked;
  Change change{.precision = candidate.precision, .constraint = broken.constraint, .by = std::abs(broken.figure - broken.limit), .text = {}};
  Constraints& limits = question.constraints;
  std::string how;
  if (broken.constraint == "time") {
    limits.maxSeconds = broken.figure;
    how = fmt::format("with {} more per picture", seconds(change.by));
  } else if (broken.constraint == "visibility" && broken.figure > 0) {
    limits.maxVisible = broken.figure;
    how = fmt::format("if {} of people may notice", percent(broken.figure, 0));
  } else if (broken.constraint == "rating") {
    limits.minRating = broken.figure;
    how = fmt::format("if a rating of {:.1f} is enough", broken.figure);
  } else if (broken.constraint == "quality" && broken.text.starts_with("CLIP")) {
    limits.minClipChange = broken.figure;
    how = fmt::format("if the {} may change by {}", asked.evidence.clipLabel(), signedPercent(broken.figure));
  } else if (broken.constraint == "quality" && broken.text.starts_with("LPIPS")) {
    limits.maxLpips = broken.figure;
    how = fmt::format("if an LPIPS of {:.3f} is enough", broken.figure);
  } else if (broken.constraint == "quality") {
    limits.minPsnr = broken.figure;
    how = fmt::format("if a PSNR of {:.1f} dB is enough", broken.figure);
  } else {
    return {};
  }
  if (answerTo(question) != candidate.precision) return {};
  change.text = how + ", " + candidate.precision;
  return change;
}

// The least memory in which the weights need not travel, and what the answer is there.
std::vector<Change> memoryChanges(const Question& asked, const std::string& answer) {
  std::vector<Change> found;
  for (const Option& option : asked.options) {
    if (!option.memory.error.empty() || option.precision == answer) continue;
    Question question = asked;
    const std::int64_t needed =
        std::min(option.memory.at(Placement::Together).highest(), option.memory.at(Placement::InTurn).highest()) + asked.reserve;
    if (needed <= memoryLimit(asked)) continue;
    setMemory(question, needed);
    if (answerTo(question) != option.precision) continue;
    const std::int64_t more = needed - memoryLimit(asked);
    found.push_back({option.precision, "memory", static_cast<double>(more), fmt::format("with {} more, {}", gib(more), option.precision)});
  }
  std::ranges::sort(found, {}, &Change::by);
  return found;
}

// How far the memory may fall before the answer is another one.
std::optional<Change> slack(const Question& asked, const Candidate& answer) {
  if (isOffload(answer.placement)) return {};
  const auto option = std::ranges::find(asked.options, answer.precision, &Option::precision);
  const std::int64_t least =
      std::min(option->memory.at(Placement::Together).highest(), option->memory.at(Placement::InTurn).highest()) + asked.reserve;
  Question question = asked;
  setMemory(question, least - 1);
  const std::string then = answerTo(question);
  if (then == answer.precision) return {};
  return Change{then, "memory", static_cast<double>(least - memoryLimit(asked)),
                fmt::format("below {}, {}", gib(least), then.empty() ? "nothing that meets the rest" : then)};
}

std::vector<Change> changesOf(const Question& question, const std::vector<Candidate>& ranked) {
  const bool any = ranked.front().possible();
  std::vector<Change> changes = memoryChanges(question, any ? ranked.front().precision : "");
  for (const Candidate& candidate : ranked) {
    if (candidate.binds.size() != 1) continue;
    for (const Check& one : candidate.checks)
      if (one.verdict == Verdict::Broken)
        if (auto change = changeFor(question, candidate, one)) changes.push_back(std::move(*change));
  }
  if (any)
    if (auto less = slack(question, ranked.front())) changes.push_back(std::move(*less));
  return changes;
}

}  // namespace

bool Candidate::certain() const {
  return std::ranges::none_of(checks, [](const Check& check) { return check.verdict == Verdict::Unknown; });
}

const Check* Candidate::check(std::string_view constraint) const {
  const auto found = std::ranges::find(checks, constraint, &Check::constraint);
  return found == checks.end() ? nullptr : &*found;
}

Decision decide(const Question& question) {
  check(question);
  const Fidelity fidelity(question);
  Decision made{.ranked = rank(question, fidelity), .chosen = {}, .sentence = {}, .path = {}, .changes = {}, .unknown = {}, .order = fidelity.name()};
  if (made.ranked.front().possible()) made.chosen = 0;
  made.changes = changesOf(question, made.ranked);
  made.path = followedPath(question, made);
  made.sentence = decidingSentence(question, made);
  made.unknown = unknownFacts(question, made);
  return made;
}

}  // namespace quantspot::decision
