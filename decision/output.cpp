#include "decision/checks.h"
#include "decision/decide.h"
#include "decision/figures.h"

#include <spdlog/fmt/fmt.h>

namespace quantspot::decision {
namespace {

using nlohmann::json;

const char* name(Verdict verdict) { return verdict == Verdict::Met ? "met" : verdict == Verdict::Unknown ? "unknown" : "broken"; }

json toJson(const Check& check) {
  json made = {{"constraint", check.constraint}, {"verdict", name(check.verdict)}, {"text", check.text}};
  if (check.figure != 0 || check.limit != 0) made.update({{"figure", check.figure}, {"limit", check.limit}});
  return made;
}

json toJson(const Candidate& candidate, const Question& question) {
  json made = {{"precision", candidate.precision}, {"possible", candidate.possible()}, {"certain", candidate.certain()},
               {"placement", placementId(candidate.placement)},
               {"needs_bytes", candidate.needs}, {"bits", candidate.bits}, {"binds", candidate.binds}, {"checks", json::array()}};
  for (const Check& check : candidate.checks) made["checks"].push_back(toJson(check));
  for (const Option& option : question.options)
    if (option.precision == candidate.precision && option.memory.error.empty()) made["memory"] = toJson(option.memory.at(candidate.placement));
  return made;
}

template <class Known>
json figureJson(const std::optional<Known>& estimate) {
  if (!estimate) return nullptr;
  json made = {{"value", estimate->value}, {"n", estimate->n}, {"ci95", nullptr}, {"from", estimate->from}, {"date", estimate->date}};
  if constexpr (std::is_base_of_v<Figure, Known>)
    if (!estimate->label.empty()) made["label"] = estimate->label;
  if (estimate->ci95) made["ci95"] = {estimate->ci95->low, estimate->ci95->high};
  return made;
}

json toJson(const Evidence& evidence) {
  json sources = json::array(), known = json::object();
  for (const EvidenceSource& source : evidence.sources)
    sources.push_back({{"kind", source.kind}, {"name", source.name}, {"text", source.text}, {"date", source.date}, {"n", source.n}});
  for (const auto& [precision, of] : evidence.byPrecision) {
    json& entry = known[precision] = {{"seconds", figureJson(of.seconds)}, {"clip_change", figureJson(of.clipChange)}, {"psnr", figureJson(of.psnr)},
                                      {"lpips", figureJson(of.lpips)}, {"rating", figureJson(of.rating)}, {"seen", nullptr}};
    if (of.latentError) entry["latent_error"] = *of.latentError;
    if (!of.seen) continue;
    entry["seen"] = {{"verdict", of.seen->verdict}, {"kind", of.seen->kind}, {"detection", of.seen->detection}, {"interval", nullptr},
                     {"margin", of.seen->margin},
                     {"trials", of.seen->trials}, {"people", of.seen->people}, {"study", of.seen->study}};
    if (of.seen->interval) entry["seen"]["interval"] = {of.seen->interval->low, of.seen->interval->high};
  }
  return {{"sources", sources}, {"reference", evidence.reference}, {"device", evidence.device}, {"precisions", known}};
}

json toJson(const Constraints& limits) {
  json made = {{"max_memory", limits.maxMemory}, {"max_seconds", limits.maxSeconds}, {"offload", limits.offload}};
  made["min_clip_change"] = limits.minClipChange ? json(*limits.minClipChange) : json();
  made["min_psnr"] = limits.minPsnr ? json(*limits.minPsnr) : json();
  made["max_lpips"] = limits.maxLpips ? json(*limits.maxLpips) : json();
  made["min_rating"] = limits.minRating ? json(*limits.minRating) : json();
  made["max_visible"] = limits.maxVisible ? json(*limits.maxVisible) : json();
  return made;
}

void addRow(std::string& text, const Candidate& candidate, std::size_t place) {
  text += fmt::format("{:>3}  {:<22} {:>10}  {:<20}", candidate.possible() ? fmt::to_string(place) : "–", candidate.precision, gib(candidate.needs),
                      placementText(candidate.placement));
  std::string why;
  for (const Check& check : candidate.checks)
    if (check.verdict != Verdict::Met) why += (why.empty() ? "" : "; ") +
             (check.verdict == Verdict::Unknown ? check.constraint + "? " : "") + check.text;
  text += why.empty() ? "\n" : "  " + why + "\n";
}

}  // namespace

json toJson(const Question& question, const Decision& decision) {
  json ranked = json::array(), path = json::array(), changes = json::array();
  for (const Candidate& candidate : decision.ranked) ranked.push_back(toJson(candidate, question));
  for (const Node& node : decision.path)
    path.push_back({{"question", node.question}, {"figures", node.figures}, {"answer", node.answer}, {"stay", node.stay}, {"leave", node.leave}});
  for (const Change& change : decision.changes)
    changes.push_back({{"precision", change.precision}, {"constraint", change.constraint}, {"by", change.by}, {"text", change.text}});
  return {{"schema", 1}, {"model", question.model}, {"hardware", question.hardware}, {"memory_limit", memoryLimit(question)},
          {"steps", question.steps}, {"width", question.width}, {"height", question.height}, {"constraints", toJson(question.constraints)},
          {"sentence", decision.sentence}, {"chosen", decision.chosen ? json(decision.ranked[*decision.chosen].precision) : json()},
          {"order", decision.order},
          {"ranked", ranked}, {"path", path}, {"changes", changes}, {"unknown", decision.unknown}, {"evidence", toJson(question.evidence)}};
}

std::string toText(const Question& question, const Decision& decision) {
  std::string text = decision.sentence + "\n\n";
  std::size_t place = 0;
  for (const Candidate& candidate : decision.ranked) addRow(text, candidate, ++place);
  text += fmt::format("\nThe path ({}, ordered by {}):\n", question.model, decision.order);
  for (std::size_t i = 0; i < decision.path.size(); ++i) {
    const Node& node = decision.path[i];
    text += fmt::format("{:>3}. {} {}\n", i + 1, node.question, node.answer);
    for (const std::string& figure : node.figures) text += "       " + figure + "\n";
  }
  if (!decision.changes.empty()) text += "\nWhat would change the answer:\n";
  for (const Change& change : decision.changes) text += "  " + change.text + "\n";
  if (!decision.unknown.empty()) text += "\nNot known:\n";
  for (const std::string& fact : decision.unknown) text += "  " + fact + "\n";
  for (const EvidenceSource& source : question.evidence.sources) text += fmt::format("Evidence: {} {}: {}\n", source.kind, source.name, source.text);
  return text;
}

}  // namespace quantspot::decision
