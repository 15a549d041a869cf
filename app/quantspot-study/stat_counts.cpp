// Figures of a few counts.
#include "app/quantspot-study/stat.h"
#include "study/statistics/chi_square.h"
#include "study/statistics/confidence_sequence.h"
#include "study/statistics/equivalence.h"
#include "study/statistics/holm.h"
#include "study/statistics/normal.h"
#include "study/statistics/power.h"
#include "study/statistics/sensitivity.h"
#include "study/statistics/sprt.h"

#include <QJsonArray>

namespace quantspot::cli {
namespace {

using namespace statistics;

QJsonArray pair(const Interval& interval) { return {interval.low, interval.high}; }

// "2afc", "4afc" are mafc with m written in.
std::pair<statistics::Task, int> task(const Keys& keys) {
  QString kind = keys.text("kind", "mafc");
  int m = keys.count("m", 2);
  if (kind.endsWith(QLatin1String("afc")) && kind.size() > 3 && kind != QLatin1String("mafc")) {
    m = static_cast<int>(toNumber(kind.chopped(3), "kind"));
    kind = "mafc";
  }
  return {taskFromName(kind.toStdString()), m};
}

QJsonObject binomial(const Keys& keys) {
  const int correct = keys.count("correct"), trials = keys.count("trials");
  const double chance = keys.number("chance", 0.5);
  const auto p = [&](Alternative alternative) { return binomialTest(correct, trials, chance, alternative); };
  return {{"p_greater", p(Alternative::Greater)}, {"p_less", p(Alternative::Less)}, {"p_two_sided", p(Alternative::TwoSided)},
          {"rate", trials > 0 ? static_cast<double>(correct) / trials : 0.0}};
}

QJsonObject interval(const Keys& keys) {
  const int correct = keys.count("correct"), trials = keys.count("trials");
  const double level = keys.share("level", 0.95);
  const QString method = keys.text("method", "clopper-pearson");
  if (method == QLatin1String("wilson")) return {{"method", method}, {"interval", pair(wilson(correct, trials, zForLevel(level)))}};
  if (method == QLatin1String("clopper-pearson")) return {{"method", method}, {"interval", pair(clopperPearson(correct, trials, level))}};
  if (method == QLatin1String("always-valid"))
    return {{"method", method}, {"interval", pair(confidenceSequence(correct, trials, keys.count("tuned_for", 100), level))}};
  throw UsageError(QStringLiteral("method=%1: must be wilson, clopper-pearson or always-valid").arg(method));
}

QJsonObject confidence(const Keys& keys) {
  return {{"interval", pair(confidenceSequence(keys.count("correct"), keys.count("trials"), keys.count("tuned_for", 100),
      keys.share("level", 0.95)))}};
}

QJsonObject adjust(const Keys& keys) {
  const QList<double> p = keys.numbers("p");
  QJsonArray adjusted;
  for (double value : holm({p.begin(), p.end()})) adjusted << value;
  return {{"adjusted", adjusted}};
}

QJsonObject sameDifferentOf(const Keys& keys) {
  const QString method = keys.text("method", "differencing");
  if (method != QLatin1String("differencing") && method != QLatin1String("independent"))
    throw UsageError(QStringLiteral("method=%1: must be differencing or independent").arg(method));
  const bool differencing = method == QLatin1String("differencing");
  if (keys.has("hit")) return {{"dprime", sameDifferentDprime(differencing, keys.number("hit"), keys.number("false_alarm"))}};
  const SameDifferent d = sameDifferent(differencing, keys.count("hits"), keys.count("different"), keys.count("false_alarms"), keys.count("same"),
      keys.share("level", 0.95));
  return {{"dprime", d.dprime}, {"standard_error", d.standard_error}, {"criterion", d.criterion}, {"interval", pair(d.interval)}};
}

QJsonObject dprimeOf(const Keys& keys) {
  if (keys.text("kind", "mafc") == QLatin1String("same-different")) return sameDifferentOf(keys);
  const auto [kind, m] = task(keys);
  if (keys.has("rate")) return {{"dprime", dprimeFromRate(kind, keys.number("rate"), m)}, {"chance", chanceRate(kind, m)}};
  const Dprime d = dprime(kind, keys.count("correct"), keys.count("trials"), m, keys.share("level", 0.95));
  return {{"dprime", d.value}, {"interval", pair(d.interval)}, {"chance", chanceRate(kind, m)}};
}

QJsonObject sprtOf(const Keys& keys) {
  const SprtPlan plan{keys.number("p0"), keys.number("p1"), keys.number("alpha", 0.05), keys.number("beta", 0.05)};
  const SprtState state = sprt(plan, keys.count("correct"), keys.count("trials"));
  const char* verdict = state.verdict == SequentialVerdict::Continue ? "continue" : state.verdict == SequentialVerdict::AcceptNull
      ? "accept-null" : "accept-alternative";
  return {{"log_ratio", state.log_ratio}, {"lower", state.lower}, {"upper", state.upper}, {"verdict", verdict}};
}

QJsonObject powerOf(const Keys& keys) {
  const double rate = keys.number("rate"), chance = keys.number("chance", 0.5), alpha = keys.number("alpha", 0.05);
  const double wanted = keys.number("power", 0.8);
  const Power power = keys.has("trials") ? binomialPower(keys.count("trials"), rate, chance, alpha) : trialsNeeded(rate, chance, wanted, alpha);
  keys.count("trials", 0);
  return {{"trials", power.trials}, {"needed", power.needed}, {"power", power.power}};
}

QJsonObject equivalenceOf(const Keys& keys) {
  const Equivalence e = equivalence(keys.count("correct"), keys.count("trials"), keys.number("chance", 0.5), keys.number("margin", 0.1),
      keys.share("level", 0.95));
  const char* verdict = e.verdict == Noticeability::Noticeable ? "noticeable" : e.verdict == Noticeability::NotNoticeable
      ? "not-noticeable" : "undecided";
  return {{"verdict", verdict}, {"p", e.p_value}, {"rate", e.rate}, {"rate_interval", pair(e.rate_interval)}, {"detection", e.detection},
          {"detection_interval", pair(e.detection_interval)}, {"margin", e.margin}};
}

QJsonObject evennessOf(const Keys& keys) {
  std::vector<int> counts;
  for (const QString& count : keys.text("counts").split(QLatin1Char(','))) {
    bool whole = false;
    counts.push_back(count.trimmed().toInt(&whole));
    if (!whole || counts.back() < 0) throw UsageError(QStringLiteral("counts=%1: must be whole numbers from 0").arg(keys.text("counts")));
  }
  const ChiSquare result = evenness(counts);
  return {{"statistic", result.statistic}, {"freedom", result.freedom}, {"p", result.p_value}};
}

}  // namespace

QMap<QString, Stat> countStats() {
  return {{"binomial", binomial}, {"interval", interval}, {"confidence-sequence", confidence}, {"holm", adjust}, {"dprime", dprimeOf},
          {"same-different", sameDifferentOf}, {"sprt", sprtOf}, {"power", powerOf}, {"equivalence", equivalenceOf}, {"chi-square", evennessOf}};
}

}  // namespace quantspot::cli
