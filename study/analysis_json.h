// Estimates and intervals as the analysis writes them.
#pragma once

#include "study/statistics/bradley_terry.h"

#include <QJsonArray>
#include <QJsonObject>

namespace quantspot::study {

inline QJsonArray json(const statistics::Interval& interval) { return {interval.low, interval.high}; }

inline QJsonObject json(const statistics::Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", estimate.standard_error}, {"interval", json(estimate.interval)}};
}

inline QJsonArray json(const statistics::Abilities& fit, const QStringList& names) {
  QJsonArray items;
  for (std::size_t i = 0; i < fit.items.size(); ++i) {
    QJsonObject item = json(fit.items[i]);
    item[QStringLiteral("variant")] = names[static_cast<qsizetype>(i)];
    items << item;
  }
  return items;
}

}  // namespace quantspot::study
