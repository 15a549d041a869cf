// Reading the golden values of tests/parity/golden/statistics.
#pragma once

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>
#include <limits>
#include <vector>

namespace golden {

inline QJsonObject read(const QString& name) {
  QFile file(QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/statistics/") + name);
  if (!file.open(QIODevice::ReadOnly)) qFatal("%s is missing", qPrintable(file.fileName()));
  return QJsonDocument::fromJson(file.readAll()).object();
}

inline std::vector<double> numbers(const QJsonValue& value) {
  std::vector<double> found;
  for (const QJsonValue& entry : value.toArray()) found.push_back(entry.isNull() ? std::numeric_limits<double>::quiet_NaN() : entry.toDouble());
  return found;
}

inline std::vector<std::vector<double>> rows(const QJsonValue& value) {
  std::vector<std::vector<double>> found;
  for (const QJsonValue& row : value.toArray()) found.push_back(numbers(row));
  return found;
}

}  // namespace golden

// Absolute below 1, relative above.
#define CLOSE(actual, expected, tolerance)                                                                            \
  do {                                                                                                                \
    const double got = (actual), want = (expected);                                                                   \
    QVERIFY2(std::abs(got - want) <= (tolerance) * std::max(1.0, std::abs(want)),                                     \
             qPrintable(QStringLiteral("%1, not %2").arg(got, 0, 'g', 12).arg(want, 0, 'g', 12)));                    \
  } while (false)
