#include "evaluation/thresholds.h"

#include "evaluation/files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

constexpr std::pair<Measure, std::string_view> kMeasures[] = {{Measure::Change, "change"}, {Measure::Share, "share"}, {Measure::Value, "value"}};
constexpr std::pair<Side, std::string_view> kSides[] = {{Side::Below, "below"}, {Side::Above, "above"}};

template <class Value, std::size_t N>
std::string_view nameOf(Value value, const std::pair<Value, std::string_view> (&names)[N]) {
  return std::ranges::find(names, value, &std::pair<Value, std::string_view>::first)->second;
}

template <class Value, std::size_t N>
Value valueOf(const std::string& name, const std::pair<Value, std::string_view> (&names)[N], const char* what) {
  for (const auto& [value, known] : names)
    if (known == name) return value;
  std::string choices;
  for (const auto& [value, known] : names) choices += (choices.empty() ? "" : ", ") + std::string(known);
  throw std::runtime_error(fmt::format("a threshold's {} is \"{}\"; choose {}", what, name, choices));
}

// A real minus; no "-0".
std::string plain(double value, int digits) {
  const double scale = std::pow(10.0, digits), rounded = std::round(value * scale) / scale;
  return fmt::format("{}{:.{}f}", rounded < 0 ? "−" : "", std::abs(rounded), digits);
}

std::string numberText(const Threshold& t, double value) {
  if (t.measure == Measure::Change) return (value > 0.05 ? "+" : "") + plain(value, 1) + " %";
  if (t.measure == Measure::Share) return plain(value, 1) + " %";
  const FigureInfo* info = figureInfo(t.figure);
  return info && info->unit == "B" ? bytesText(value) : plain(value, 2);
}

double inMeasure(const Threshold& t, double change) { return t.measure == Measure::Change ? 100 * change : 100 * (1 + change); }

// Nothing when there are no data, with the reason in `why`.
std::optional<Estimate> measured(const Threshold& t, const PrecisionSummary& summary, const PrecisionSummary& baseline, std::string& why) {
  const auto figure = summary.figures.find(t.figure);
  const FigureInfo* info = figureInfo(t.figure);
  if (figure == summary.figures.end()) {
    why = summary.drawn == 0 && summary.failed > 0 ? "every picture failed"
          : summary.drawn == 0                     ? "nothing is drawn yet"
          : t.figure == "fid"
              ? "FID needs Inception weights (`quantspot-cli metrics download inception`) and a set of real pictures"
          : t.figure == "rating"
              ? "nobody has rated it: rate pictures on the Compare page, or give the bundle of a study with rating trials"
          : info && info->source == Source::Set    ? "it needs a set of pictures to compare with"
                                                   : "it was not measured";
    return std::nullopt;
  }
  if (t.measure == Measure::Value) return figure->second;
  const auto change = summary.changes.find(t.figure);
  if (change == summary.changes.end()) {
    const bool ofSets = info && info->source == Source::Set && t.figure != "rating";
    why = ofSets ? "its change is one of distances to real pictures (`compare --real`)"
        : baseline.figures.contains(t.figure) ? "no picture of it has its baseline" : "the baseline " + baseline.precision + " was not measured";
    return std::nullopt;
  }
  Estimate out = change->second;
  out.value = inMeasure(t, out.value);
  if (out.ci95) out.ci95 = Interval{inMeasure(t, out.ci95->low), inMeasure(t, out.ci95->high)};
  return out;
}

std::string nounOf(const Threshold& t, const std::string& baseline, const Labels& labels) {
  if (t.measure == Measure::Change) return labelOf(labels, t.figure) + " change";
  if (t.measure == Measure::Share) return labelOf(labels, t.figure) + " against " + baseline;
  return labelOf(labels, t.figure);
}

// Of memory and times alone: what one run takes is close to what the next one takes, what a metric says of few pictures is not.
bool needsInterval(const Threshold& t) {
  const FigureInfo* info = figureInfo(t.figure);
  return !info || info->source != Source::Report;
}

ThresholdCell cellOf(const Threshold& t, const PrecisionSummary& summary, const PrecisionSummary& baseline, const Labels& labels) {
  ThresholdCell cell{t.id, summary.precision, Verdict::LacksData, {}, {}, true, {}};
  std::string why;
  const std::string noun = nounOf(t, baseline.precision, labels);
  const auto found = measured(t, summary, baseline, why);
  if (!found || !std::isfinite(found->value)) {
    cell.sentence = fmt::format("{}: lacks data, {}.", noun, found ? "its value is not finite" : why);
    return cell;
  }
  cell.value = found->value;
  cell.ci95 = found->ci95;
  const bool pass = t.side == Side::Below ? found->value < t.limit : found->value > t.limit;
  cell.verdict = pass ? Verdict::Pass : Verdict::Fail;
  cell.sure = found->ci95 ? found->ci95->low > t.limit || found->ci95->high < t.limit : !needsInterval(t);
  const double off = std::abs(found->value - t.limit);
  const std::string away = t.measure == Measure::Value ? numberText(t, off) : plain(off, 1) + " points";
  cell.sentence = fmt::format("{} {}", noun, numberText(t, found->value));
  if (found->ci95) cell.sentence += fmt::format(" (95 % {} to {}, N = {})", numberText(t, found->ci95->low), numberText(t, found->ci95->high),
      found->n);
  else cell.sentence += fmt::format(" (N = {})", found->n);
  cell.sentence += pass ? fmt::format(" is {}: passes.", limitText(t)) : fmt::format(" is not {}: fails by {}.", limitText(t), away);
  if (const std::string caution = cautionOf(t.figure, found->n); !caution.empty()) cell.sentence += " " + caution + ".";
  if (!cell.sure) cell.sentence += found->ci95 ? " The interval holds the limit: more pictures would decide." : " Without an interval it is not known how sure that is.";
  return cell;
}

}  // namespace

std::vector<Threshold> defaultThresholds() {
  return {{"fid-change", "FID change", "fid", Measure::Change, Side::Below, 15},
          {"clip-change", "CLIP score change", "clip", Measure::Change, Side::Above, -5},
          {"human-rating", "Human rating", "rating", Measure::Value, Side::Above, 4},
          {"memory", "Peak memory", "memory", Measure::Share, Side::Below, 50},
          {"time", "Time per picture", "latency", Measure::Share, Side::Below, 100},
          {"throughput", "Throughput", "throughput", Measure::Share, Side::Above, 100}};
}

std::string labelOf(const Threshold& t, const Labels& labels) {
  const std::string own = labelOf(Labels(), t.figure), now = labelOf(labels, t.figure);
  const auto at = t.label.find(own);
  return own == now || at == std::string::npos ? t.label : std::string(t.label).replace(at, own.size(), now);
}

std::string limitText(const Threshold& t) {
  const std::string side = std::string(nameOf(t.side, kSides));
  if (t.measure == Measure::Value) return side + " " + numberText(t, t.limit);
  const int digits = t.limit == std::round(t.limit) ? 0 : 1;
  return fmt::format("{} {} %{}", side, plain(t.limit, digits), t.measure == Measure::Share ? " of the baseline" : "");
}

std::vector<ThresholdCell> judge(const std::vector<PrecisionSummary>& summaries, const std::vector<Threshold>& thresholds, const Labels& labels) {
  std::vector<ThresholdCell> cells;
  for (std::size_t i = 1; i < summaries.size(); ++i)
    for (const Threshold& threshold : thresholds)
      if (threshold.on) cells.push_back(cellOf(threshold, summaries[i], summaries.front(), labels));
  return cells;
}

Verdict overall(const std::vector<ThresholdCell>& cells, const std::string& precision) {
  Verdict worst = Verdict::Pass;
  bool any = false;
  for (const ThresholdCell& cell : cells) {
    if (cell.precision != precision) continue;
    any = true;
    if (cell.verdict == Verdict::Fail) return Verdict::Fail;
    if (cell.verdict == Verdict::LacksData) worst = Verdict::LacksData;
  }
  return any ? worst : Verdict::LacksData;
}

std::string_view verdictName(Verdict verdict) { return verdict == Verdict::Pass ? "pass" : verdict == Verdict::Fail ? "fail" : "lacks data"; }

json thresholdsJson(const std::vector<Threshold>& thresholds, const Labels& labels) {
  json all = json::array();
  for (const Threshold& t : thresholds)
    all.push_back({{"id", t.id}, {"label", labelOf(t, labels)}, {"figure", t.figure}, {"measure", nameOf(t.measure, kMeasures)},
                   {"side", nameOf(t.side, kSides)}, {"limit", t.limit}, {"on", t.on}});
  return all;
}

json judgedJson(const std::vector<ThresholdCell>& cells) {
  json all = json::array();
  for (const ThresholdCell& cell : cells) {
    json entry = {{"threshold", cell.threshold}, {"precision", cell.precision}, {"verdict", verdictName(cell.verdict)}, {"value", nullptr},
                  {"ci95", nullptr}, {"sure", cell.sure}, {"sentence", cell.sentence}};
    if (cell.value) entry["value"] = *cell.value;
    if (cell.ci95) entry["ci95"] = {cell.ci95->low, cell.ci95->high};
    all.push_back(std::move(entry));
  }
  return all;
}

std::vector<Threshold> thresholdsOf(const json& source) try {
  std::vector<Threshold> all;
  if (!source.is_array()) throw std::runtime_error("thresholds are a list");
  for (const json& entry : source) {
    Threshold t{entry.at("id"), entry.value("label", entry.at("id").get<std::string>()), entry.at("figure"),
                valueOf(entry.at("measure").get<std::string>(), kMeasures, "measure"), valueOf(entry.at("side").get<std::string>(), kSides, "side"),
                entry.at("limit").get<double>(), entry.value("on", true)};
    if (!figureInfo(t.figure)) {
      std::string choices;
      for (const FigureInfo& info : figures()) choices += (choices.empty() ? "" : ", ") + std::string(info.id);
      throw std::runtime_error(fmt::format("a threshold's figure is \"{}\"; choose {}", t.figure, choices));
    }
    if (std::ranges::find(all, t.id, &Threshold::id) != all.end()) throw std::runtime_error(fmt::format("the threshold \"{}\" is there twice", t.id));
    all.push_back(std::move(t));
  }
  return all;
} catch (const json::exception& error) {
  throw std::runtime_error(fmt::format("a threshold has id, figure, measure, side and limit ({})", error.what()));
}

std::vector<Threshold> readThresholds(const std::filesystem::path& path) try {
  const json source = json::parse(readText(path), nullptr, false);
  if (source.is_discarded()) throw std::runtime_error("it is no JSON");
  return thresholdsOf(source);
} catch (const std::runtime_error& error) {
  throw std::runtime_error(fmt::format("{}: {}", path.string(), error.what()));
}

}  // namespace quantspot::evaluation
