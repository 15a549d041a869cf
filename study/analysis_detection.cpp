#include "study/analysis.h"
#include "study/analysis_json.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/equivalence.h"
#include "study/statistics/holm.h"
#include "study/statistics/mixed_logistic.h"
#include "study/statistics/sensitivity.h"
#include "study/statistics/sprt.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

using namespace statistics;

struct Share {
  int correct = 0, trials = 0;
};

// Answers about one variant by one kind of trial (and one number of slots).
struct Group {
  TrialKind kind = TrialKind::Spot;
  int slots = 2;
  QString variant;
  Rows rows;
  Share sum;
  double chance() const { return kindChance(kind, slots); }
};

std::vector<Group> groups(const Protocol& protocol, const Rows& rows) {
  std::map<std::tuple<int, int, qsizetype>, Group> found;
  for (const ResponseRow* row : rows) {
    const PlannedTrial& trial = row->trial;
    if (trial.role != TrialRole::Main || !row->correct) continue;
    const int slots = static_cast<int>(trial.shown.size());
    Group& group = found[{static_cast<int>(trial.kind), slots, protocol.variants.indexOf(trial.variants[0])}];
    group.kind = trial.kind;
    group.slots = slots;
    group.variant = trial.variants[0];
    group.rows.push_back(row);
    group.sum.correct += *row->correct;
    ++group.sum.trials;
  }
  std::vector<Group> all;
  for (auto& [key, group] : found) all.push_back(std::move(group));
  return all;
}

template <class Key>
QJsonArray shares(const Group& group, const char* name, double level, Key key) {
  std::map<QString, Share> found;
  for (const ResponseRow* row : group.rows) {
    Share& share = found[key(*row)];
    share.correct += *row->correct;
    ++share.trials;
  }
  QJsonArray list;
  for (const auto& [id, share] : found)
    list << QJsonObject{{QLatin1String(name), id}, {"correct", share.correct}, {"trials", share.trials},
        {"rate", static_cast<double>(share.correct) / share.trials}, {"interval", json(clopperPearson(share.correct, share.trials, level))}};
  return list;
}

// Rate of the average participant and prompt; null where it cannot be estimated, with the reason.
QJsonObject mixed(const Group& group, double level) {
  std::map<QString, std::size_t> people, prompts;
  const auto number = [](std::map<QString, std::size_t>& known, const QString& id) { return known.emplace(id, known.size()).first->second; };
  std::vector<MixedRow> rows;
  const double offset = std::log(group.chance() / (1 - group.chance()));
  for (const ResponseRow* row : group.rows)
    rows.push_back({{1}, number(people, row->participant), number(prompts, row->trial.comparison), *row->correct, offset});
  if (people.size() < 2) return {{"reason", "one participant"}};
  try {
    const MixedFit fit = mixedLogistic(rows, level);
    const auto rate = [&](double logit) { return 1 / (1 + std::exp(-(offset + logit))); };
    const auto corrected = [&](double logit) { return std::max(0.0, (rate(logit) - group.chance()) / (1 - group.chance())); };
    const Estimate& logit = fit.fixed[0];
    QJsonObject odds = json(logit);
    odds["half_width"] = *fit.half_width;
    return {{"log_odds_against_chance", odds}, {"rate", rate(logit.value)},
            {"rate_interval", json(Interval{rate(logit.interval.low), rate(logit.interval.high)})},
            {"detection", corrected(logit.value)}, {"detection_interval", QJsonArray{corrected(logit.interval.low), corrected(logit.interval.high)}},
            {"participant_sd", fit.participant_sd}, {"prompt_sd", fit.prompt_sd}, {"singular", fit.singular}};
  } catch (const std::domain_error&) {
    return {{"reason", "separation: all right, all wrong, or too few answers"}};
  }
}

QJsonObject sensitivity(const Group& group, double level) {
  const auto of = [&](statistics::Task task) {
    const Dprime d = dprime(task, group.sum.correct, group.sum.trials, group.slots, level);
    return QJsonObject{{"value", d.value}, {"interval", json(d.interval)}};
  };
  if (group.kind == TrialKind::Spot) return {{"mafc", of(statistics::Task::Mafc)}};
  if (group.kind == TrialKind::Triangle) return {{"oddity", of(statistics::Task::Oddity)}};
  if (group.kind == TrialKind::Abx)
    return {{"differencing", of(statistics::Task::AbxDifferencing)}, {"independent", of(statistics::Task::AbxIndependent)}};
  int hits = 0, different = 0, alarms = 0, same = 0;
  for (const ResponseRow* row : group.rows) {
    const bool said = row->answer == QLatin1String("different");
    if (row->trial.truth == QLatin1String("different")) ++different, hits += said;
    else ++same, alarms += said;
  }
  QJsonObject result{{"hits", hits}, {"different", different}, {"false_alarms", alarms}, {"same", same}};
  if (different == 0 || same == 0) return result;
  for (bool differencing : {true, false}) {
    const SameDifferent d = sameDifferent(differencing, hits, different, alarms, same, level);
    result[differencing ? "differencing" : "independent"] = QJsonObject{{"value", d.dprime}, {"interval", json(d.interval)},
        {"criterion", d.criterion}};
  }
  return result;
}

QJsonObject sequential(const Group& group, const Stopping& stopping, SequentialVerdict& found) {
  const SprtPlan plan{stopping.null_rate, stopping.alternative_rate, stopping.alpha, stopping.beta};
  int correct = 0, trials = 0;
  SprtState state = sprt(plan, 0, 0);
  for (const ResponseRow* row : group.rows) {
    correct += *row->correct;
    state = sprt(plan, correct, ++trials);
    if (state.verdict != SequentialVerdict::Continue) break;
  }
  found = state.verdict;
  const char* verdict = state.verdict == SequentialVerdict::Continue ? "continue" : state.verdict == SequentialVerdict::AcceptNull
      ? "accept-null" : "accept-alternative";
  return {{"verdict", verdict}, {"trials", trials}, {"log_ratio", state.log_ratio}};
}

// Pooled answers alone are too sure where people differ: the mixed model must not contradict.
const char* verdictOf(const Equivalence& pooled, const QJsonObject& mixed, double chance) {
  const QJsonArray interval = mixed["rate_interval"].toArray();
  const bool known = interval.size() == 2;
  const auto corrected = [&](double rate) { return (rate - chance) / (1 - chance); };
  if (pooled.verdict == Noticeability::NotNoticeable && (!known || corrected(interval[1].toDouble()) < pooled.margin)) return "not-noticeable";
  if (pooled.verdict == Noticeability::Noticeable && (!known || interval[0].toDouble() > chance)) return "noticeable";
  return "undecided";
}

QJsonObject figure(const Protocol& protocol, const Group& group) {
  const AnalysisPlan& plan = protocol.analysis;
  const int correct = group.sum.correct, trials = group.sum.trials;
  const bool always = protocol.stopping.rule == StoppingRule::AlwaysValid;
  const auto sequence = [&] { return confidenceSequence(correct, trials, protocol.stopping.tuned_for, plan.level); };
  Equivalence pooled = always ? equivalenceOf(correct, trials, group.chance(), sequence(), plan.margin)
                              : equivalence(correct, trials, group.chance(), plan.margin, plan.level);
  QJsonObject sprt;
  if (protocol.stopping.rule == StoppingRule::Sprt) {
    SequentialVerdict test;
    sprt = sequential(group, protocol.stopping, test);
    pooled.verdict = withSequentialTest(pooled.verdict, test);
  }
  const QJsonObject random_effects = mixed(group, plan.level);
  std::set<QString> people;
  for (const ResponseRow* row : group.rows) people.insert(row->participant);
  QJsonObject result{{"kind", kindName(group.kind)}, {"slots", group.slots}, {"variant", group.variant}, {"chance", group.chance()},
                     {"correct", correct}, {"trials", trials},
                     {"people", static_cast<int>(people.size())}, {"rate", pooled.rate}, {"rate_interval", json(pooled.rate_interval)},
                     {"interval_method", always ? "always-valid" : "clopper-pearson"},
                     {"p", pooled.p_value}, {"detection", pooled.detection}, {"detection_interval", json(pooled.detection_interval)},
                     {"margin", plan.margin},
                     {"dprime", sensitivity(group, plan.level)}, {"mixed", random_effects},
                     {"verdict", verdictOf(pooled, random_effects, group.chance())},
                     {"per_participant", shares(group, "participant", plan.level, [](const ResponseRow& row) { return row.participant; })},
                     {"per_prompt", shares(group, "comparison", plan.level, [](const ResponseRow& row) { return row.trial.comparison; })}};
  if (!sprt.isEmpty()) result["sprt"] = sprt;
  return result;
}

}  // namespace

QJsonArray detectionFigures(const Protocol& protocol, const Rows& rows) {
  QJsonArray list;
  std::vector<double> p;
  for (const Group& group : groups(protocol, rows)) {
    list << figure(protocol, group);
    p.push_back(list.last().toObject()["p"].toDouble());
  }
  const auto adjusted = holm(p);
  for (qsizetype i = 0; i < list.size(); ++i) {
    QJsonObject entry = list[i].toObject();
    entry["p_holm"] = adjusted[static_cast<std::size_t>(i)];
    list[i] = entry;
  }
  return list;
}

}  // namespace quantspot::study
