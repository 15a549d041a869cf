// Brings a database to the schema of this program: one numbered script per version, counted in user_version.
#pragma once

#include <QSqlDatabase>
#include <QStringList>

namespace quantspot::study {

// resources/schema/001.sql and on, in order.
QStringList schemaScripts();

// Runs the scripts that the database has not seen, all in one transaction. Returns the reason when it cannot (the
// database is then unchanged), or an empty string. A file of an older schema is first copied to FILE.schemaN.bak (N its version). Scripts hold plain
// statements: no triggers, no ';' inside texts.
QString migrate(QSqlDatabase& database, const QStringList& scripts);

// The same for a PostgreSQL server: resources/schema/postgresql/001.sql and on; the version lies in a table of its own. Programs
// that start together wait for each other. No copy is made: that is the server's keeper's.
QStringList serverScripts();
QString migrateServer(QSqlDatabase& database, const QStringList& scripts);

}  // namespace quantspot::study
