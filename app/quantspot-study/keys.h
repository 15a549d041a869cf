// The key=value arguments of `stat`: each is asked for once, and what nobody asked for is an error.
#pragma once

#include "study/csv.h"

#include <QMap>
#include <QSet>

#include <stdexcept>

namespace quantspot::cli {

// A mistake of the caller: exit code 2.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const QString& message) : std::runtime_error(message.toStdString()) {}
};

class Keys {
 public:
  explicit Keys(const QStringList& arguments);
  bool has(const QString& key) const { return values_.contains(key); }
  QString text(const QString& key, const QString& fallback) const;
  QString text(const QString& key) const;                       // required
  double number(const QString& key) const;
  double number(const QString& key, double fallback) const;
  int count(const QString& key) const;
  int count(const QString& key, int fallback) const;
  QList<double> numbers(const QString& key) const;              // separated by commas
  double share(const QString& key, double fallback) const;      // above 0 and below 1
  QByteArray file() const;                                      // the bytes of file=…
  void refuseOthers(const QString& command) const;

 private:
  QMap<QString, QString> values_;
  mutable QSet<QString> asked_;
};

double toNumber(const QString& text, const QString& where);

}  // namespace quantspot::cli
