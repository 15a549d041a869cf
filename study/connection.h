// One connection to where studies lie: a SQLite file, or a PostgreSQL server for several stations.
#pragma once

#include <QSqlDatabase>
#include <QString>

class QSqlError;

namespace quantspot::study {

// How a store is called on screen and in output: without a password.
QString displayName(const QString& store);

// A connection under a name of its own, open and with the schema of this program. Moved never, closed at the end.
class Connection {
 public:
  // store: a path, ":memory:", or postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Files are created when missing, and copied
  // before an update. Throws Error.
  explicit Connection(const QString& store);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  QSqlDatabase& database() { return database_; }
  bool isServer() const { return server_; }
  QString displayName() const { return study::displayName(store_); }

 private:
  void openFile();
  void openServer();
  [[noreturn]] void fail(const QString& reason);

  QString store_, name_;
  bool server_;
  QSqlDatabase database_;
};

// The database's words, with what to do about them.
QString problem(const QSqlError& error);

}  // namespace quantspot::study
