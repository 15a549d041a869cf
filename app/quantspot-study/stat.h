// One figure as JSON, for scripts and for checking the program against R.
#pragma once

#include "app/quantspot-study/keys.h"

#include <QJsonObject>

namespace quantspot::cli {

QStringList statNames();
// Throws UsageError for an unknown name or key and for impossible values, study::Error for a file that cannot be read or does not have the figure.
// A figure that is infinite or undefined is null.
QJsonObject stat(const QString& name, const Keys& keys);

// The parts: counts (stat_counts.cpp) and tables read from files (stat_tables.cpp).
using Stat = QJsonObject (*)(const Keys&);
QMap<QString, Stat> countStats();
QMap<QString, Stat> tableStats();

}  // namespace quantspot::cli
