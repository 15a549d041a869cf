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

HitRate hitRate(Task task, const std::vector<Tally>& tallies) {
  HitRate sum{.task = task};
  for (const Tally& tally : tallies) {
    if (tally.task != task) continue;
    sum.trials += tally.trials;
    sum.hits += tally.hits;
    sum.tiles += tally.tiles;
    sum.chance += tally.chance * tally.tiles;
  }
  if (sum.tiles == 0) return sum;
  sum.chance /= sum.tiles;
  sum.rate = static_cast<double>(sum.hits) / sum.tiles;
  const auto interval = statistics::wilson(sum.hits, sum.tiles);
  sum.low = interval.low;
  sum.high = interval.high;
  return sum;
}

}  // namespace quantspot::study
