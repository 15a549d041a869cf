#include "study/connection.h"

#include "study/error.h"
#include "study/migrations.h"

#include <QDir>
#include <QFileInfo>
#include <QSqlError>
#include <QSqlQuery>
#include <QUrl>
#include <QUuid>

namespace quantspot::study {

namespace {

bool isServer(const QString& store) { return store.startsWith(QLatin1String("postgresql://")); }

}  // namespace

QString problem(const QSqlError& error) {
  const QString text = (error.databaseText().isEmpty() ? error.text() : error.databaseText()).simplified();
  if (text.contains(QLatin1String("locked")) || text.contains(QLatin1String("lock timeout")))
    return text + QStringLiteral("; another program is writing: close it or try again");
  if (text.contains(QLatin1String("full")) || text.contains(QLatin1String("No space")))
    return text + QStringLiteral("; make room and try again: nothing was lost or half written");
  if (text.contains(QLatin1String("readonly")) || text.contains(QLatin1String("unable to open"))) return text + QStringLiteral("; give yourself the right to write the file and its folder");
  return text;
}

Connection::Connection(const QString& store) : store_(store), name_(QUuid::createUuid().toString()),
    server_(study::isServer(store)) {
  if (server_) openServer();
  else openFile();
}

Connection::~Connection() {
  database_ = {};   // removeDatabase wants no handle left
  QSqlDatabase::removeDatabase(name_);
}

QString displayName(const QString& store) {
  return isServer(store) ? QUrl(store).toDisplayString(QUrl::RemovePassword) : QDir::toNativeSeparators(store);
}

void Connection::fail(const QString& reason) {
  database_ = {};
  QSqlDatabase::removeDatabase(name_);
  throw Error(QStringLiteral("the store cannot be opened: %1 (%2)").arg(reason, displayName()));
}

void Connection::openFile() {
  if (store_ != QLatin1String(":memory:") && !QDir().mkpath(QFileInfo(store_).absolutePath()))
    fail(QStringLiteral("its folder cannot be made; choose another with --store"));
  database_ = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name_);
  database_.setDatabaseName(store_);
  database_.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=5000"));
  if (!database_.open()) fail(problem(database_.lastError()));
  QString reason;
  for (const char* pragma : {"foreign_keys = ON", "synchronous = FULL", "journal_mode = WAL"}) {
    QSqlQuery query(database_);
    if (reason.isEmpty() && !query.exec(QStringLiteral("PRAGMA ") + QLatin1String(pragma))) reason = problem(query.lastError());
  }
  if (reason.isEmpty()) reason = migrate(database_, schemaScripts());
  if (!reason.isEmpty()) fail(reason);
}

void Connection::openServer() {
  const QUrl url(store_);
  if (!url.isValid() || url.path().size() < 2) fail(QStringLiteral("write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"));
  if (!QSqlDatabase::isDriverAvailable(QStringLiteral("QPSQL"))) fail(QStringLiteral("Qt's PostgreSQL driver is missing; install libqt6sql6-psql"));
  database_ = QSqlDatabase::addDatabase(QStringLiteral("QPSQL"), name_);
  database_.setHostName(url.host());
  database_.setPort(url.port(5432));
  database_.setDatabaseName(url.path().mid(1));
  database_.setUserName(url.userName(QUrl::FullyDecoded));
  database_.setPassword(url.password(QUrl::FullyDecoded));
  database_.setConnectOptions(QStringLiteral("connect_timeout=5"));
  if (!database_.open()) fail(problem(database_.lastError()) + QStringLiteral("; is the server running, and may this user connect?"));
  QString reason;
  // on: the server answers when the record is on its disk.
  for (const char* setting : {"SET synchronous_commit = on", "SET lock_timeout = '10s'", "SET client_min_messages = warning"}) {
    QSqlQuery query(database_);
    if (reason.isEmpty() && !query.exec(QLatin1String(setting))) reason = problem(query.lastError());
  }
  if (reason.isEmpty()) reason = migrateServer(database_, serverScripts());
  if (!reason.isEmpty()) fail(reason);
}

}  // namespace quantspot::study
