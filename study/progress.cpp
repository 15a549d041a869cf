#include "study/progress.h"

#include "study/responses.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/sprt.h"

#include <algorithm>
#include <map>
#include <set>

namespace quantspot::study {
namespace {

struct Running {
  int correct = 0, trials = 0;
  bool stopped = false;
};

// Whether the rule would stop here: SPRT at one of its bounds; always-valid when chance is excluded, or all above the margin is.
bool crossed(const Protocol& protocol, const Running& sum, double chance) {
  const Stopping& rule = protocol.stopping;
  if (rule.rule == StoppingRule::Sprt)
    return statistics::sprt({rule.null_rate, rule.alternative_rate, rule.alpha, rule.beta}, sum.correct,
        sum.trials).verdict != statistics::SequentialVerdict::Continue;
  const auto interval = statistics::confidenceSequence(sum.correct, sum.trials, rule.tuned_for, protocol.analysis.level);
  return interval.low > chance || interval.high < chance + protocol.analysis.margin * (1 - chance);
}

QString name(const QString& variant, TrialKind kind) { return variant + QLatin1Char(' ') + kindName(kind); }

QJsonObject sequentialVerdicts(const Protocol& protocol, const Responses& responses) {
  std::map<QString, Running> sums;
  for (const Block& block : protocol.blocks)
    if (hasTruth(block.kind))
      for (const QString& variant : protocol.tested()) sums[name(variant, block.kind)];
  for (const ResponseRow& row : responses.rows) {
    if (row.trial.role != TrialRole::Main || !row.correct) continue;
    Running& sum = sums[name(row.trial.variants[0], row.trial.kind)];
    sum.correct += *row.correct;
    ++sum.trials;
    sum.stopped = sum.stopped || crossed(protocol, sum, row.chance);
  }
  QJsonObject verdicts;
  for (const auto& [variant, sum] : sums) verdicts[variant] = sum.stopped ? QStringLiteral("stop") : QStringLiteral("continue");
  return verdicts;
}

int plannedTrials(const Protocol& protocol) {
  int trials = protocol.practice;
  for (const Block& block : protocol.blocks) trials += block.trials + block.gold + block.null + block.repeats;
  return trials;
}

}  // namespace

Progress progressOf(const Protocol& protocol, const QString& hash, const std::vector<ChainRecord>& chain, const std::optional<Mapping>& mapping) {
  Progress progress;
  std::map<QString, int> answered;
  for (const ChainRecord& record : chain) {
    if (record.erased()) {
      ++progress.erased_records;
      continue;
    }
    const QJsonObject json = record.json();
    const QString kind = json[QStringLiteral("kind")].toString(), participant = json[QStringLiteral("participant")].toString();
    progress.clock_set_back += json.contains(QStringLiteral("clock_back_s"));
    progress.focus_losses = std::min(progress.focus_losses + focusLossesOf(json), 1'000'000'000);
    if (kind == QLatin1String("close") && progress.closed.isEmpty()) progress.closed = json[QStringLiteral("time")].toString();
    if (kind == QLatin1String("join")) answered[participant];
    if (kind == QLatin1String("response")) ++answered[participant];
    if (kind == QLatin1String("undo")) --answered[participant], ++progress.undone;
  }
  progress.planned = plannedTrials(protocol);
  for (const auto& [participant, count] : answered) {
    progress.per_participant[participant] = count;
    progress.responses += count;
    progress.finished += count == progress.planned;
  }
  progress.joined = static_cast<int>(answered.size());
  if (mapping && protocol.stopping.rule != StoppingRule::Fixed)
    progress.sequential = sequentialVerdicts(protocol, collect(protocol, hash, *mapping, chain));
  return progress;
}

QJsonObject toJson(const Progress& p) {
  return {{"joined", p.joined}, {"finished", p.finished}, {"responses", p.responses}, {"undone", p.undone}, {"erased_records", p.erased_records},
          {"focus_losses", p.focus_losses}, {"clock_set_back", p.clock_set_back}, {"per_participant", p.per_participant},
          {"planned", p.planned}, {"closed", p.closed.isEmpty() ? QJsonValue() : QJsonValue(p.closed)}, {"sequential", p.sequential}};
}

}  // namespace quantspot::study
