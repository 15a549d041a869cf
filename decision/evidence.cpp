#include "decision/evidence.h"

#include "decision/figures.h"
#include "evaluation/figures.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

namespace quantspot::decision {
namespace {

using nlohmann::json;

std::optional<double> numberAt(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

// Files may hold any number; one that no int holds counts as absent.
std::optional<int> wholeAt(const json& object, const char* key) {
  const auto number = numberAt(object, key);
  return number && *number >= 0 && *number <= std::numeric_limits<int>::max() ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

// Of one precision, by the comparison they belong to.
struct Measured {
  std::map<std::size_t, double> seconds, clip, psnr, lpips;
};

void collect(const json& sample, std::size_t comparison, Measured& into) {
  const json scores = sample.value("scores", json::object());
  if (const auto clip = numberAt(scores, "clip")) into.clip[comparison] = *clip;
  if (const auto psnr = numberAt(scores, "psnr")) into.psnr[comparison] = *psnr;
  if (const auto lpips = numberAt(scores, "lpips")) into.lpips[comparison] = *lpips;
  const json report = sample.value("report", json::object());
  if (const auto total = numberAt(report.value("seconds", json::object()), "total")) into.seconds[comparison] = *total;
}

std::optional<Figure> meanOf(const std::map<std::size_t, double>& values, const EvidenceSource& from) {
  std::vector<double> all;
  for (const auto& [at, value] : values) all.push_back(value);
  return all.empty() ? std::nullopt : std::optional(Figure{evaluation::bootstrapMean(all), from.name, from.date});
}

std::optional<Figure> changeOf(const std::map<std::size_t, double>& values, const std::map<std::size_t, double>& reference,
                                const EvidenceSource& from) {
  std::vector<double> mine, theirs;
  for (const auto& [at, value] : values) {
    const auto found = reference.find(at);
    if (found == reference.end()) continue;
    mine.push_back(value);
    theirs.push_back(found->second);
  }
  if (mine.empty()) return {};
  evaluation::Estimate change = evaluation::bootstrapPairedChange(mine, theirs);
  return std::isfinite(change.value) ? std::optional(Figure{change, from.name, from.date}) : std::nullopt;
}

void describeRun(Evidence& evidence, const json& comparison) {
  const json recipe = comparison.value("recipe", json::object());
  evidence.steps = wholeAt(recipe, "steps").value_or(evidence.steps);
  evidence.width = wholeAt(recipe, "width").value_or(evidence.width);
  evidence.height = wholeAt(recipe, "height").value_or(evidence.height);
  for (const json& sample : comparison.value("samples", json::array())) {
    const json engine = sample.value("report", json::object()).value("engine", json::object());
    if (engine.contains("device")) evidence.device = engine["device"].get<std::string>();
  }
}

// The finding that says most: noticeable before undecided before not-noticeable, so that no kind of trial hides another.
int weight(const std::string& verdict) { return verdict == "noticeable" ? 2 : verdict == "undecided" ? 1 : 0; }

std::optional<evaluation::Interval> intervalAt(const json& figure, const char* key) {
  const auto found = figure.find(key);
  if (found == figure.end() || !found->is_array() || found->size() != 2 || !(*found)[0].is_number() || !(*found)[1].is_number()) return {};
  return evaluation::Interval{(*found)[0].get<double>(), (*found)[1].get<double>()};
}

Seen seenOf(const json& figure, const std::string& study) {
  const auto trials = wholeAt(figure, "trials");
  if (!trials) throw std::runtime_error("a figure without its number of trials");
  return {.verdict = figure.at("verdict").get<std::string>(), .kind = figure.value("kind", ""),
          .detection = numberAt(figure, "detection").value_or(0), .interval = intervalAt(figure, "detection_interval"),
          .margin = numberAt(figure, "margin").value_or(0), .trials = trials.value(),
          .people = wholeAt(figure, "people").value_or(0), .study = study};
}

// Mean opinions of a study's rating trials, where it had some: precisions that were rated.
std::set<std::string> addOpinions(Evidence& evidence, const json& part, const std::string& study, const std::string& date) {
  std::set<std::string> rated;
  const json opinions = part.value("rating", json());
  for (const json& score : opinions.is_object() ? opinions.value("scores", json::array()) : json::array()) {
    const auto mean = numberAt(score, "mos");
    const auto people = wholeAt(score, "people");
    if (!mean || !people) continue;
    const auto variant = score.at("variant").get<std::string>();
    evidence.byPrecision[variant].rating = Figure{{*mean, static_cast<std::size_t>(*people), intervalAt(score, "interval")}, study, date};
    rated.insert(variant);
  }
  return rated;
}

}  // namespace

const PrecisionEvidence& Evidence::of(const std::string& precision) const {
  static const PrecisionEvidence nothing;
  const auto found = byPrecision.find(precision);
  return found == byPrecision.end() ? nothing : found->second;
}

std::string Evidence::clipLabel() const {
  std::set<std::string> labels;
  for (const auto& [precision, known] : byPrecision)
    if (known.clipChange) labels.insert(known.clipChange->label);
  return labels.size() == 1 ? *labels.begin() : evaluation::scoreLabel("clip", "");
}

void addComparison(Evidence& evidence, const json& report, const std::string& name, const std::string& date) try {
  const auto precisions = report.at("precisions").get<std::vector<std::string>>();
  const json& comparisons = report.at("comparisons");
  if (precisions.empty()) throw std::runtime_error("it names no precision");
  std::map<std::string, Measured> measured;
  evidence.device.clear(), evidence.steps = evidence.width = evidence.height = 0;
  std::size_t pictures = 0;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    describeRun(evidence, comparisons[i]);
    for (const json& sample : comparisons[i].at("samples")) {
      if (sample.contains("error")) continue;
      collect(sample, i, measured[sample.at("precision").get<std::string>()]);
      ++pictures;
    }
  }
  const std::string text = fmt::format("{} pictures of {} precisions, {}, {} steps, on {}", pictures, measured.size(),
      sizeText(evidence.width, evidence.height),
                                       evidence.steps, evidence.device.empty() ? "an unknown device" : evidence.device);
  const EvidenceSource source{"comparison", name, text, date, pictures};
  evidence.reference = precisions.front();
  for (const auto& [precision, values] : measured) {
    PrecisionEvidence& known = evidence.byPrecision[precision];
    if (auto timed = meanOf(values.seconds, source)) known.seconds = Timing{*timed, evidence.device, evidence.steps, evidence.width, evidence.height};
    if (precision == precisions.front()) continue;
    if (auto psnr = meanOf(values.psnr, source)) known.psnr = psnr;
    if (auto lpips = meanOf(values.lpips, source)) known.lpips = lpips;
    if (auto change = changeOf(values.clip, measured[precisions.front()].clip, source)) {
      change->label = evaluation::labelOf(report, *evaluation::figureInfo("clip"));
      known.clipChange = change;
    }
  }
  evidence.sources.push_back(source);
} catch (const std::exception& error) {
  throw std::runtime_error(fmt::format("{}: no report of a comparison ({}); give the report.json that 'compare' writes", name, error.what()));
}

void addStudy(Evidence& evidence, const json& analysis, const std::string& name, const std::string& date) try {
  const std::string headline = analysis.at("headline").get<std::string>(), title = analysis.value("title", name);
  std::set<std::string> variants;
  std::int64_t trials = 0;
  int people = 0;
  const json& part = analysis.at(headline);
  const std::set<std::string> rated = addOpinions(evidence, part, title, date);
  for (const json& figure : part.value("detection", json::array())) {
    const auto variant = figure.at("variant").get<std::string>();
    Seen seen = seenOf(figure, title);
    seen.date = date;
    trials += seen.trials;
    people = std::max(people, seen.people);
    std::optional<Seen>& known = evidence.byPrecision[variant].seen;
    const bool first = variants.insert(variant).second;
    if (!known || first || weight(seen.verdict) > weight(known->verdict)) known = seen;
  }
  if (variants.empty() && rated.empty()) throw std::runtime_error("no precision was tested in it");
  std::string text = variants.empty() ? "" : fmt::format("{} answers of {} people about {} precisions", trials, people, variants.size());
  if (!rated.empty()) text += fmt::format("{}mean opinions of {} precisions", text.empty() ? "" : ", ", rated.size());
  evidence.sources.push_back({"study", title, text, date, static_cast<std::size_t>(trials)});
} catch (const std::exception& error) {
  throw std::runtime_error(fmt::format("{}: no analysis of a study ({}); give analysis.json, or the bundle that 'quantspot-study export' writes",
      name, error.what()));
}

void addRatings(Evidence& evidence, const json& ratings, const std::string& name, const std::string& date) try {
  const auto figureOf = [&](const json& told) {
    return Figure{{told.at("value").get<double>(), told.at("n").get<std::size_t>(), intervalAt(told, "ci95")}, name, date};
  };
  std::size_t grades = 0;
  for (const auto& [precision, told] : ratings.items()) {
    PrecisionEvidence& known = evidence.byPrecision[precision];
    known.rating = figureOf(told);
    if (told.contains("change")) known.ratingChange = figureOf(told.at("change"));
    grades += known.rating->n;
  }
  if (grades == 0) throw std::runtime_error("nothing was rated in it");
  evidence.sources.push_back({"ratings", name, fmt::format("{} grades of {} precisions", grades, ratings.size()), date, grades});
} catch (const std::exception& error) {
  throw std::runtime_error(fmt::format("{}: no ratings ({}); give {{\"bnb-nf4\": {{\"value\": 4.2, \"ci95\": [4.0, 4.4], \"n\": 12}}}}", name,
      error.what()));
}

void addScan(Evidence& evidence, const json& scan, const std::string& precision) try {
  evidence.byPrecision[precision].latentError = scan.at("all").get<double>();
  const std::size_t groups = scan.at("groups").size();
  evidence.sources.push_back({"sensitivity", precision, fmt::format("{} groups of layers, each alone at {}", groups, precision), {}, groups});
} catch (const json::exception& error) {
  throw std::runtime_error(fmt::format("{}: no result of a sensitivity scan ({})", precision, error.what()));
}

}  // namespace quantspot::decision
