#include "study/hit_rate.h"

#include "study/statistics/binomial.h"

#include <cmath>

namespace quantspot::study {
namespace {

long percent(double share) { return std::lround(share * 100); }

}  // namespace

QString HitRate::text() const {
  if (tiles == 0) return {};
  return QStringLiteral("%1/%2, %3\u2009% (chance %4\u2009%, 95\u2009% CI %5–%6)")
      .arg(hits).arg(tiles).arg(percent(rate)).arg(percent(chance)).arg(percent(low)).arg(percent(high));
}

QString hitRateMethod() {
  return QStringLiteral("Every tile you named, over all comparisons; the 95\u2009% interval is Clopper and Pearson's (exact), "
                        "for which a trial counts once, with the share of its tiles that were right: tiles of one trial hang together");
}

HitRate hitRate(Task task, const std::vector<Tally>& tallies) {
  HitRate sum{.task = task};
  double squares = 0;   // of tiles, over trials
  for (const Tally& tally : tallies) {
    if (tally.task != task) continue;
    sum.trials += tally.trials;
    sum.hits += tally.hits;
    sum.tiles += tally.tiles;
    sum.chance += tally.chance * tally.tiles;
    if (tally.trials > 0) squares += static_cast<double>(tally.tiles) * tally.tiles / tally.trials;
  }
  if (sum.tiles == 0) return sum;
  sum.chance /= sum.tiles;
  sum.rate = static_cast<double>(sum.hits) / sum.tiles;
  // Trials of many tiles weigh more: so many equal ones are the rate worth.
  const auto interval = statistics::clopperPearsonShare(sum.rate, static_cast<double>(sum.tiles) * sum.tiles / squares);
  sum.low = interval.low;
  sum.high = interval.high;
  return sum;
}

}  // namespace quantspot::study
