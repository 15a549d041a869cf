#include "app/quantspot-study/keys.h"

namespace quantspot::cli {

Keys::Keys(const QStringList& arguments) {
  for (const QString& argument : arguments) {
    const qsizetype at = argument.indexOf(QLatin1Char('='));
    if (at < 1) throw UsageError(QStringLiteral("'%1': arguments are written key=value").arg(argument));
    values_[argument.left(at)] = argument.mid(at + 1);
  }
}

QString Keys::text(const QString& key, const QString& fallback) const {
  asked_ << key;
  return values_.value(key, fallback);
}

QString Keys::text(const QString& key) const {
  asked_ << key;
  if (!values_.contains(key)) throw UsageError(QStringLiteral("%1=… is missing").arg(key));
  return values_[key];
}

double Keys::number(const QString& key) const { return toNumber(text(key), key); }

double Keys::number(const QString& key, double fallback) const {
  asked_ << key;
  return has(key) ? number(key) : fallback;
}

int Keys::count(const QString& key) const {
  bool valid = false;
  const int value = text(key).toInt(&valid);
  if (!valid) throw UsageError(QStringLiteral("%1=%2: must be a whole number").arg(key, text(key)));
  return value;
}

int Keys::count(const QString& key, int fallback) const {
  asked_ << key;
  return has(key) ? count(key) : fallback;
}

QList<double> Keys::numbers(const QString& key) const {
  QList<double> found;
  for (const QString& part : text(key).split(QLatin1Char(','))) found << toNumber(part, key);
  return found;
}

double Keys::share(const QString& key, double fallback) const {
  const double value = number(key, fallback);
  if (!(value > 0 && value < 1)) throw UsageError(QStringLiteral("%1=%2: must lie between 0 and 1").arg(key, text(key, QString())));
  return value;
}

QByteArray Keys::file() const { return study::readFile(text(QStringLiteral("file"))); }

void Keys::refuseOthers(const QString& command) const {
  for (const QString& key : values_.keys())
    if (!asked_.contains(key))
      throw UsageError(QStringLiteral("%1 knows no '%2'; it knows: %3").arg(command, key, QStringList(asked_.values()).join(QStringLiteral(", "))));
}

double toNumber(const QString& text, const QString& where) {
  bool valid = false;
  const double value = text.trimmed().toDouble(&valid);
  if (!valid) throw UsageError(QStringLiteral("%1=%2: must be a number").arg(where, text));
  return value;
}

}  // namespace quantspot::cli
