#include "study/rounding.h"

#include <cmath>

namespace quantspot::study {

QString rounded(double value, int digits) {
  if (!std::isfinite(value)) return QStringLiteral("∞");
  const double units = std::floor(std::floor(std::abs(value) * 1e6 + 0.5) / std::pow(10, 6 - digits) + 0.5);   // of the last digit
  const QString text = QString::number(units, 'f', 0).rightJustified(digits + 1, QLatin1Char('0'));
  const QString sign = value < 0 && units > 0 ? QStringLiteral("-") : QString();
  return sign + (digits > 0 ? text.chopped(digits) + QLatin1Char('.') + text.right(digits) : text);
}

QString counted(int count, const char* one, const char* many) {
  return QStringLiteral("%1 %2").arg(count).arg(QLatin1String(count == 1 ? one : many));
}

}  // namespace quantspot::study
