#include "app/quantspot-study/stat.h"

namespace quantspot::cli {
namespace {

QMap<QString, Stat> all() {
  QMap<QString, Stat> stats = countStats();
  stats.insert(tableStats());
  return stats;
}

}  // namespace

QStringList statNames() { return all().keys(); }

QJsonObject stat(const QString& name, const Keys& keys) {
  const auto stats = all();
  if (!stats.contains(name))
    throw UsageError(QStringLiteral("there is no figure '%1'; there are: %2").arg(name, statNames().join(QStringLiteral(", "))));
  QJsonObject result = stats[name](keys);
  keys.refuseOthers(name);
  result[QStringLiteral("stat")] = name;
  return result;
}

}  // namespace quantspot::cli
