// Another program that has a store's file for itself: nobody else reads or writes it meanwhile.
#pragma once

#include <QSqlDatabase>
#include <QSqlQuery>
#include <QString>

namespace sample {

class StoreHolder {
 public:
  explicit StoreHolder(const QString& file) : database_(QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("holder"))) {
    database_.setDatabaseName(file);
    if (!database_.open()) qFatal("cannot open the store");
    for (const char* step : {"PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"})
      if (!QSqlQuery(database_).exec(QLatin1String(step))) qFatal("cannot hold the store");
  }
  ~StoreHolder() {
    QSqlQuery(database_).exec(QStringLiteral("ROLLBACK"));
    database_ = {};
    QSqlDatabase::removeDatabase(QStringLiteral("holder"));
  }
  StoreHolder(const StoreHolder&) = delete;
  StoreHolder& operator=(const StoreHolder&) = delete;

 private:
  QSqlDatabase database_;
};

}  // namespace sample
