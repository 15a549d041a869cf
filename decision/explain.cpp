#include "decision/explain.h"

#include "decision/checks.h"
#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::decision {
namespace {

using Candidates = std::vector<const Candidate*>;

// Asks one constraint of those that are left.
Node ask(const std::string& question, std::string_view constraint, Candidates& left, const std::string& none = {}) {
  Node node{.question = question, .figures = {}, .answer = {}, .stay = {}, .leave = {}};
  Candidates stay;
  std::size_t open = 0;                  // of those that stay: nothing known speaks against them, nor for them
  for (const Candidate* candidate : left) {
    bool broken = false, unknown = false;
    for (const Check& check : candidate->checks) {
      if (check.constraint != constraint) continue;
      node.figures.push_back(candidate->precision + ": " + check.text);
      broken = broken || check.verdict == Verdict::Broken;
      unknown = unknown || check.verdict == Verdict::Unknown;
    }
    open += !broken && unknown;
    (broken ? node.leave : node.stay).push_back(candidate->precision);
    if (!broken) stay.push_back(candidate);
  }
  node.answer = stay.empty() && !none.empty() ? none : fmt::format("{} of {}", stay.size(), left.size());
  if (open > 0) node.answer += open == stay.size() ? ", none of them for certain" : fmt::format(", {} of them not for certain", open);
  left = std::move(stay);
  return node;
}

Node split(const std::string& question, Candidates& left, Candidates& others) {
  Node node{.question = question, .figures = {}, .answer = {}, .stay = {}, .leave = {}};
  Candidates stay;
  for (const Candidate* candidate : left) {
    const bool travels = isOffload(candidate->placement);
    node.figures.push_back(fmt::format("{}: {} {}", candidate->precision, gib(candidate->needs), placementText(candidate->placement)));
    (travels ? node.leave : node.stay).push_back(candidate->precision);
    (travels ? others : stay).push_back(candidate);
  }
  node.answer = stay.empty() ? "none" : fmt::format("{} of {}", stay.size(), left.size());
  left = std::move(stay);
  return node;
}

bool asks(const Candidates& left, std::string_view constraint) {
  return std::ranges::any_of(left, [&](const Candidate* candidate) { return candidate->check(constraint) != nullptr; });
}

void askRest(std::vector<Node>& path, const Question& question, Candidates& left) {
  const Constraints& limits = question.constraints;
  if (asks(left, "time")) path.push_back(ask(fmt::format("Which draw a picture in {}?", seconds(limits.maxSeconds)), "time", left, "none"));
  if (asks(left, "quality")) path.push_back(ask("Which stay within the quality margin?", "quality", left, "none"));
  if (asks(left, "visibility"))
    path.push_back(ask(fmt::format("Which do at most {} of people notice?", percent(*limits.maxVisible, 0)), "visibility", left, "none"));
  if (asks(left, "rating"))
    path.push_back(ask(fmt::format("Which do people rate {:.1f} of 5 or better?", *limits.minRating), "rating", left, "none"));
}

Node last(const Decision& decision, const Candidates& left) {
  Node node{.question = "Which of these is nearest to the reference?", .figures = {"by " + decision.order}, .answer = {}, .stay = {}, .leave = {}};
  const std::string& chosen = decision.ranked[*decision.chosen].precision;
  node.answer = chosen;
  for (const Candidate* candidate : left) (candidate->precision == chosen ? node.stay : node.leave).push_back(candidate->precision);
  return node;
}

std::string whereText(const Question& question) {
  const Hardware& hardware = question.hardware;
  return hardware.found && !hardware.gpu ? "this machine" : hardware.name;
}

std::string seenText(const Seen& seen, double limit) {
  const double high = seen.interval ? seen.interval->high : 1;
  if (high <= limit) return fmt::format("at most {} of people notice it (\"{}\", {} answers)", percent(high, 0), seen.study, seen.trials);
  return fmt::format("{} of people notice it, up to {} (\"{}\", {} answers)", percent(seen.detection, 0), percent(high, 0), seen.study, seen.trials);
}

// Limits of which nobody knows whether this one keeps them.
std::string openText(const Candidate& chosen) {
  std::string open;
  for (const Check& check : chosen.checks)
    if (check.verdict == Verdict::Unknown && open.find(check.constraint) == std::string::npos) open += (open.empty() ? "" : " and ") + check.constraint;
  return open.empty() ? open : fmt::format("; whether it keeps the limit of {} is not known yet", open);
}

// With what the pictures were where that is not what is asked for.
std::string timeText(const Question& question, const Timing& timed) {
  std::string made = sameSize(question, timed) ? "" : ", " + sizeText(timed.width, timed.height);
  if (timed.steps > 0 && timed.steps != question.steps) made += fmt::format(", {} steps", timed.steps);
  return fmt::format(", {} per picture on {} (N = {}{})", seconds(timed.value), timed.device, timed.n, made);
}

std::string evidenceText(const Question& question, const Candidate& chosen) {
  const PrecisionEvidence& known = question.evidence.of(chosen.precision);
  std::string text;
  if (known.clipChange) text += fmt::format(", {} {} (N = {})", known.clipChange->label, signedPercent(known.clipChange->value), known.clipChange->n);
  if (known.seen) text += ", " + seenText(*known.seen, question.constraints.maxVisible.value_or(known.seen->margin));
  if (known.rating) text += fmt::format(", rated {} (N = {})", gradeText(*known.rating), known.rating->n);
  if (known.seconds) text += timeText(question, *known.seconds);
  return text;
}

}  // namespace

std::vector<Node> followedPath(const Question& question, const Decision& decision) {
  std::vector<Node> path;
  Candidates left, travelling;
  for (const Candidate& candidate : decision.ranked) left.push_back(&candidate);
  const auto cannot = [](const Candidate& candidate) {
    const Check* check = candidate.check("hardware");
    return check && check->verdict == Verdict::Broken;
  };
  if (std::ranges::any_of(decision.ranked, cannot))
    path.push_back(ask(fmt::format("Which can {} compute?", question.hardware.name), "hardware", left));
  path.push_back(ask(fmt::format("Which fit {}{}?", gib(memoryLimit(question)), question.constraints.offload ? ", with offload or without" : ""),
                      "memory", left, "none"));
  if (!left.empty()) path.push_back(split("Of which need the weights not travel in every step?", left, travelling));
  askRest(path, question, left);
  if (left.empty() && !travelling.empty()) {
    left = travelling;
    path.push_back({.question = "Is offload allowed?", .figures = {}, .answer = "yes, slower", .stay = {}, .leave = {}});
    for (const Candidate* candidate : left) path.back().stay.push_back(candidate->precision);
    askRest(path, question, left);
  }
  if (decision.chosen) path.push_back(last(decision, left));
  return path;
}

std::string decidingSentence(const Question& question, const Decision& decision) {
  if (!decision.chosen) {
    const Candidate& nearest = *std::ranges::min_element(decision.ranked, {}, [](const Candidate& one) { return std::pair(one.needs, one.bits); });
    std::string binds;
    for (const std::string& constraint : nearest.binds) binds += (binds.empty() ? "" : " and ") + constraint;
    const bool memory = std::ranges::find(nearest.binds, "memory") != nearest.binds.end();
    return memory ? fmt::format("Nothing fits {}: the smallest, `{}`, needs {} {}.", gib(memoryLimit(question)), nearest.precision,
                                gib(nearest.needs), placementText(nearest.placement))
                  : fmt::format("Nothing meets what is asked: the smallest, `{}`, breaks {}.", nearest.precision, binds);
  }
  const Candidate& chosen = decision.ranked[*decision.chosen];
  std::string text = fmt::format("Use `{}`: {} of {} on {}, {}{}", chosen.precision, gib(chosen.needs), gib(memoryLimit(question)),
                                 whereText(question),
                                 placementText(chosen.placement), evidenceText(question, chosen));
  const PrecisionEvidence& known = question.evidence.of(chosen.precision);
  const bool reference = chosen.precision == (question.evidence.reference.empty() ? "bf16" : question.evidence.reference);
  if (!known.clipChange && !known.psnr && !known.seen && !known.rating && !reference) text += "; its quality was neither measured nor judged";
  return text + openText(chosen) + ".";
}

std::vector<std::string> unknownFacts(const Question& question, const Decision& decision) {
  std::vector<std::string> facts;
  if (question.evidence.sources.empty()) facts.push_back("There is no evidence: memory comes from the model's shapes, everything else is open.");
  for (const char* constraint : {"time", "quality", "visibility", "rating"}) {
    std::vector<std::pair<std::string, std::string>> open;   // why, and of which precisions
    for (const Candidate& candidate : decision.ranked)
      for (const Check& check : candidate.checks) {
        if (check.constraint != constraint || check.verdict != Verdict::Unknown) continue;
        const auto known = std::ranges::find(open, check.text, &std::pair<std::string, std::string>::first);
        if (known == open.end()) open.emplace_back(check.text, candidate.precision);
        else known->second += ", " + candidate.precision;
      }
    for (const auto& [why, precisions] : open) facts.push_back(fmt::format("{} of {}: {}.", constraint, precisions, why));
  }
  if (question.hardware.gpu && !question.hardware.found)
    facts.push_back(fmt::format("{} is not here: its memory is what its driver reports, less {} for driver and libraries, "
                                "which nothing here measured.",
                                question.hardware.name, gib(kGpuReserve)));
  return facts;
}

}  // namespace quantspot::decision
