#include "app/quantspot-study/stat.h"

#include "study/error.h"

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
  QJsonObject result;
  try {
    result = stats[name](keys);
  } catch (const UsageError&) {
    throw;
  } catch (const std::exception& error) {
    const QString file = keys.text(QStringLiteral("file"), QString()), what = QString::fromUtf8(error.what());
    if (file.isEmpty()) throw UsageError(what);                  // what cannot be was typed
    throw study::Error(what.contains(file) ? what : file + QStringLiteral(": ") + what);
  }
  keys.refuseOthers(name);
  result[QStringLiteral("stat")] = name;
  return result;
}

}  // namespace quantspot::cli
