#include "study/migrations.h"

#include <QFile>
#include <QRegularExpression>
#include <QSqlError>
#include <QSqlQuery>

#include <optional>

namespace quantspot::study {
namespace {

// Returns the reason of a failure, or an empty string.
QString execute(QSqlDatabase& database, const QString& script) {
  static const QRegularExpression comments(QStringLiteral("--[^\n]*"));
  for (const QString& statement : QString(script).remove(comments).split(QLatin1Char(';'))) {
    if (statement.trimmed().isEmpty()) continue;
    QSqlQuery query(database);
    if (!query.exec(statement)) return query.lastError().databaseText();
  }
  return {};
}

std::optional<int> number(QSqlDatabase& database, const QString& statement, QString& reason) {
  QSqlQuery query(database);
  if (query.exec(statement) && query.next()) return query.value(0).toInt();
  reason = query.lastError().databaseText();
  return {};
}

QStringList scriptsIn(const QString& folder) {
  QStringList scripts;
  for (int version = 1;; ++version) {
    QFile file(QStringLiteral("%1/%2.sql").arg(folder).arg(version, 3, 10, QLatin1Char('0')));
    if (!file.open(QIODevice::ReadOnly)) return scripts;
    scripts << QString::fromUtf8(file.readAll());
  }
}

// The file as it was, beside it. VACUUM INTO copies what is committed, the journal included. Returns the reason of a failure.
QString backUp(QSqlDatabase& database, int version) {
  const QString path = database.databaseName();
  if (path.isEmpty() || path == QLatin1String(":memory:")) return {};
  const QString copy = QStringLiteral("%1.schema%2.bak").arg(path).arg(version);
  if (QFile::exists(copy) && !QFile::remove(copy)) return QStringLiteral("the backup %1 cannot be replaced").arg(copy);
  QSqlQuery query(database);
  query.prepare(QStringLiteral("VACUUM INTO ?"));
  query.addBindValue(copy);
  if (query.exec()) return {};
  return QStringLiteral("no backup could be made before the update (%1): %2").arg(copy, query.lastError().databaseText());
}

}  // namespace

QStringList schemaScripts() { return scriptsIn(QStringLiteral(":/schema")); }

QStringList serverScripts() { return scriptsIn(QStringLiteral(":/schema/postgresql")); }

QString migrateServer(QSqlDatabase& database, const QStringList& scripts) {
  // The lock's number is ours alone; the end of the transaction frees it.
  QString reason = execute(database,
      QStringLiteral("BEGIN; SELECT pg_advisory_xact_lock(7184230561); CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"));
  const auto version = reason.isEmpty() ? number(database, QStringLiteral("SELECT coalesce(max(version), 0) FROM schema_version"),
      reason) : std::nullopt;
  if (version && *version > scripts.size())
    reason = QStringLiteral("it was written by a newer QuantSpot (schema %1, this program knows %2)").arg(*version).arg(scripts.size());
  for (int next = version.value_or(0); next < scripts.size() && reason.isEmpty(); ++next) {
    reason = execute(database, scripts[next]);
    if (reason.isEmpty()) reason = execute(database, QStringLiteral("INSERT INTO schema_version VALUES (%1)").arg(next + 1));
  }
  if (reason.isEmpty()) reason = execute(database, QStringLiteral("COMMIT"));
  if (!reason.isEmpty()) execute(database, QStringLiteral("ROLLBACK"));
  return reason;
}

QString migrate(QSqlDatabase& database, const QStringList& scripts) {
  QString reason;
  const auto version = number(database, QStringLiteral("PRAGMA user_version"), reason);
  const auto tables = version ? number(database, QStringLiteral("SELECT count(*) FROM sqlite_master"), reason) : std::nullopt;
  if (!tables) return reason;
  if (*version > scripts.size())
    return QStringLiteral("it was written by a newer QuantSpot (schema %1, this program knows %2)").arg(*version).arg(scripts.size());
  if (*version == 0 && *tables > 0) return QStringLiteral("it is the database of another program");
  if (*version == scripts.size()) return {};
  if (*version > 0) reason = backUp(database, *version);
  if (!reason.isEmpty()) return reason;

  reason = execute(database, QStringLiteral("BEGIN IMMEDIATE"));
  if (!reason.isEmpty()) return reason;
  for (int next = *version; next < scripts.size() && reason.isEmpty(); ++next) reason = execute(database, scripts[next]);
  if (reason.isEmpty()) reason = execute(database, QStringLiteral("PRAGMA user_version = %1").arg(scripts.size()));
  if (reason.isEmpty()) reason = execute(database, QStringLiteral("COMMIT"));
  if (!reason.isEmpty()) execute(database, QStringLiteral("ROLLBACK"));
  return reason;
}

}  // namespace quantspot::study
