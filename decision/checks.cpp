#include "decision/checks.h"

#include "decision/figures.h"
#include "decision/policy.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace quantspot::decision {
namespace {

std::int64_t needIn(const Question& question, const Option& option, Placement placement) {
  return option.memory.at(placement).highest() + question.reserve;
}

bool allowed(const Question& question, Placement placement) { return question.constraints.offload || !isOffload(placement); }

// The fastest placement that fits, else the smallest.
Placement placementFor(const Question& question, const Option& option) {
  Placement smallest = Placement::Together;
  for (const Placement placement : kPlacements) {
    if (!allowed(question, placement)) continue;
    if (needIn(question, option, placement) <= memoryLimit(question)) return placement;
    if (needIn(question, option, placement) < needIn(question, option, smallest)) smallest = placement;
  }
  return smallest;
}

std::optional<Check> hardwareCheck(const Question& question, const Option& option) {
  const std::string id = policyParts(option.precision).id;
  const Hardware& hardware = question.hardware;
  if (hardware.gpu && id == "int8-dynamic") return Check{"hardware", Verdict::Broken, "torch's dynamic quantization computes on a CPU only"};
  if (hardware.gpu && id == "torchao-fp8dq" && !hardware.fp8) return Check{"hardware", Verdict::Broken, hardware.name + " has no FP8 instructions"};
  const bool told = hardware.gpu || !hardware.features.empty();   // an engine may tell no features of its CPU
  if (told && !hardware.bf16 && computeTypeOf(id) == "bf16")
    return Check{"hardware", Verdict::Met, hardware.name + " has no BF16 instructions: it runs, slowly"};
  return {};
}

Check memoryCheck(const Question& question, const Option& option, const Candidate& candidate) {
  const std::int64_t limit = memoryLimit(question);
  if (!option.memory.error.empty()) return {"memory", Verdict::Broken, option.memory.error};
  const bool fits = candidate.needs <= limit;
  const PhaseNeed& need = option.memory.at(candidate.placement);
  return {"memory", fits ? Verdict::Met : Verdict::Broken,
          fmt::format("needs {} of {}{}, {} (most to {})", gib(candidate.needs), gib(limit), fits ? "" : ": too much", placementText(candidate.placement),
                      need.bindingName()),
          static_cast<double>(candidate.needs), static_cast<double>(limit)};
}

// Every step reads all weights of the denoiser once, whatever else it does; through the link when they travel.
double leastSeconds(const Question& question, const Option& option, const Candidate& candidate) {
  const auto weights = static_cast<double>(option.memory.at(Placement::InTurn).denoise.weights);
  const double speed = isOffload(candidate.placement) && question.hardware.link > 0 ? question.hardware.link : question.hardware.bandwidth;
  return speed > 0 ? question.steps * weights / speed : 0;
}

bool timedHere(const Question& question, const Timing& timing) {
  return question.hardware.found && (question.hardware.gpu ? timing.device.starts_with("cuda") : timing.device == "cpu");
}

// Loading, encoding and decoding take as long for any number of steps: a picture of other steps takes something between what this one took and
// that times their ratio. Between both nothing is known; a limit outside is kept or broken for certain.
Check otherStepsCheck(const Question& question, const Timing& timing, bool offload) {
  const double limit = question.constraints.maxSeconds, ratio = static_cast<double>(question.steps) / timing.steps;
  const double least = timing.value * std::min(ratio, 1.0), most = timing.value * std::max(ratio, 1.0);
  const auto text = [&](const char* bound, double value) {
    return fmt::format("{} {} per picture, as {} steps took {}, {}; {} allowed", bound, seconds(value), timing.steps, seconds(timing.value),
                       originText(timing), seconds(limit));
  };
  if (least > limit) return {"time", Verdict::Broken, text("at least", least), most, limit};
  if (offload) return {"time", Verdict::Unknown, "timed without offload only"};
  if (most <= limit) return {"time", Verdict::Met, text("at most", most), most, limit};
  return {"time", Verdict::Unknown, fmt::format("timed at {} steps only, not at {}", timing.steps, question.steps)};
}

std::optional<Check> timeCheck(const Question& question, const Option& option, const Candidate& candidate) {
  const double limit = question.constraints.maxSeconds, least = leastSeconds(question, option, candidate);
  if (limit <= 0) return {};
  if (least > limit)
    return Check{"time", Verdict::Broken, fmt::format("reading the weights alone takes {} of {}", seconds(least), seconds(limit)), least, limit};
  const auto& measured = question.evidence.of(option.precision).seconds;
  if (!measured) return Check{"time", Verdict::Unknown, "no picture was timed"};
  if (!timedHere(question, *measured))
    return Check{"time", Verdict::Unknown, fmt::format("timed on {} only, not on {}", measured->device, question.hardware.name)};
  if (!sameSize(question, *measured))
    return Check{"time", Verdict::Unknown, fmt::format("timed at {} × {} only, not at {} × {}", measured->width, measured->height,
                                                   question.width, question.height)};
  if (measured->steps > 0 && measured->steps != question.steps) return otherStepsCheck(question, *measured, isOffload(candidate.placement));
  const double value = measured->value;
  if (isOffload(candidate.placement) && value <= limit) return Check{"time", Verdict::Unknown, "timed without offload only"};
  const std::string range = measured->ci95 ? fmt::format(" ({} to {})", seconds(measured->ci95->low), seconds(measured->ci95->high)) : "";
  return Check{"time", value <= limit ? Verdict::Met : Verdict::Broken,
               fmt::format("{} per picture{}, {}; {} allowed", seconds(value), range, originText(*measured), seconds(limit)), value, limit};
}

std::string intervalText(const std::optional<evaluation::Interval>& interval) {
  return interval ? fmt::format(" ({} to {})", signedPercent(interval->low), signedPercent(interval->high)) : "";
}

// Where no evidence names one, it is what the quality of others would be measured against.
bool isReference(const Question& question, const Option& option) {
  const std::string& reference = question.evidence.reference;
  return option.precision == (reference.empty() ? "bf16" : reference);
}

std::optional<Check> clipCheck(const Question& question, const Option& option) {
  const auto limit = question.constraints.minClipChange;
  if (!limit) return {};
  if (isReference(question, option)) return Check{"quality", Verdict::Met, "it is the reference"};
  const auto& change = question.evidence.of(option.precision).clipChange;
  if (!change) return Check{"quality", Verdict::Unknown, "its " + question.evidence.clipLabel() + " was not measured"};
  return Check{"quality", change->value >= *limit ? Verdict::Met : Verdict::Broken,
               fmt::format("{} {}{}, {}; {} allowed", change->label, signedPercent(change->value), intervalText(change->ci95), originText(*change),
                           signedPercent(*limit)),
               change->value, *limit};
}

std::optional<Check> psnrCheck(const Question& question, const Option& option) {
  const auto limit = question.constraints.minPsnr;
  if (!limit) return {};
  if (isReference(question, option)) return Check{"quality", Verdict::Met, "it is the reference"};
  const auto& psnr = question.evidence.of(option.precision).psnr;
  if (!psnr) return Check{"quality", Verdict::Unknown, "its PSNR was not measured"};
  return Check{"quality", psnr->value >= *limit ? Verdict::Met : Verdict::Broken,
               fmt::format("PSNR {:.1f} dB, {}; {:.1f} asked", psnr->value, originText(*psnr), *limit), psnr->value, *limit};
}

std::optional<Check> lpipsCheck(const Question& question, const Option& option) {
  const auto limit = question.constraints.maxLpips;
  if (!limit) return {};
  if (isReference(question, option)) return Check{"quality", Verdict::Met, "it is the reference"};
  const auto& lpips = question.evidence.of(option.precision).lpips;
  if (!lpips) return Check{"quality", Verdict::Unknown, "its LPIPS was not measured"};
  return Check{"quality", lpips->value <= *limit ? Verdict::Met : Verdict::Broken,
               fmt::format("LPIPS {:.3f}, {}; {:.3f} allowed", lpips->value, originText(*lpips), *limit), lpips->value, *limit};
}

// What may be: the upper end of the interval decides, so that few answers prove nothing.
std::optional<Check> visibilityCheck(const Question& question, const Option& option) {
  const auto limit = question.constraints.maxVisible;
  if (!limit) return {};
  const auto& seen = question.evidence.of(option.precision).seen;
  if (!seen) {
    if (isReference(question, option)) return Check{"visibility", Verdict::Met, "it is the reference"};
    return Check{"visibility", Verdict::Unknown, "no study asked"};
  }
  const double low = seen->interval ? seen->interval->low : seen->detection, high = seen->interval ? seen->interval->high : 1;
  const Verdict verdict = high <= *limit ? Verdict::Met : low > *limit || seen->verdict == "noticeable" ? Verdict::Broken : Verdict::Unknown;
  const char* said = verdict == Verdict::Met ? "not noticed" : verdict == Verdict::Broken ? "noticed" : "undecided";
  return Check{"visibility", verdict,
               fmt::format("{}: {}{} see it, {} answers of {} people in \"{}\"{}; {} allowed", said, percent(seen->detection, 0),
                           intervalText(seen->interval),
                           seen->trials, seen->people, seen->study, seen->date.empty() ? "" : ", " + seen->date, percent(*limit, 0)), high, *limit};
}

// As on the Evaluate page: where the interval holds the limit, more grades would decide. One grade can refuse, and prove nothing.
std::optional<Check> ratingCheck(const Question& question, const Option& option) {
  const auto limit = question.constraints.minRating;
  if (!limit) return {};
  const auto& rating = question.evidence.of(option.precision).rating;
  if (!rating) return Check{"rating", Verdict::Unknown, "nobody has rated it: rate pictures on the Compare page, or give ratings"};
  const double low = rating->ci95 ? rating->ci95->low : 1, high = rating->ci95 ? rating->ci95->high : rating->value;
  const Verdict verdict = low >= *limit ? Verdict::Met : high < *limit ? Verdict::Broken : Verdict::Unknown;
  return Check{"rating", verdict,
               fmt::format("rated {}, {}; {:.1f} asked{}", gradeText(*rating), originText(*rating), *limit,
                           verdict == Verdict::Unknown ? ", more grades would decide" : ""), high, *limit};
}

}  // namespace

bool sameSize(const Question& question, const Timing& timing) {
  const auto same = [](int is, int asked) { return is == 0 || asked == 0 || is == asked; };
  return same(timing.width, question.width) && same(timing.height, question.height);
}

std::int64_t memoryLimit(const Question& question) {
  const std::int64_t asked = question.constraints.maxMemory, there = question.hardware.memory;
  if (asked <= 0) return there;
  return there > 0 && question.hardware.gpu ? std::min(asked, there) : asked;
}

Candidate assess(const Question& question, const Option& option) {
  Candidate made{.precision = option.precision, .bits = option.bits, .placement = placementFor(question, option), .checks = {}, .binds = {}};
  made.needs = needIn(question, option, made.placement);
  const auto add = [&](std::optional<Check> check) {
    if (!check) return;
    if (check->verdict == Verdict::Broken && (made.binds.empty() || made.binds.back() != check->constraint)) made.binds.push_back(check->constraint);
    made.checks.push_back(std::move(*check));
  };
  add(hardwareCheck(question, option));
  add(memoryCheck(question, option, made));
  add(timeCheck(question, option, made));
  add(clipCheck(question, option));
  add(psnrCheck(question, option));
  add(lpipsCheck(question, option));
  add(visibilityCheck(question, option));
  add(ratingCheck(question, option));
  return made;
}

}  // namespace quantspot::decision
