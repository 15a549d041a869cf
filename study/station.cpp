#include "study/station.h"

#include "study/error.h"
#include "study/trial_plan.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>

namespace quantspot::study {

Station::Station(const QString& store, const QString& journal) : store_(store), journal_(journal), name_(QUuid::createUuid().toString()) {
  QDir().mkpath(QFileInfo(journal).absolutePath());
  database_ = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name_);
  database_.setDatabaseName(journal);
  try {
    if (!database_.open()) throw Error(QStringLiteral("the journal cannot be opened: %1 (%2)").arg(problem(database_.lastError()), journal));
    QSqlQuery query(database_);
    exec(query, "PRAGMA journal_mode = WAL");
    exec(query, "PRAGMA synchronous = FULL");
    exec(query, "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, study TEXT NOT NULL, entry TEXT NOT NULL, refused TEXT)");
  } catch (...) {
    database_ = {};
    QSqlDatabase::removeDatabase(name_);
    throw;
  }
  connect();
}

Station::~Station() {
  database_ = {};
  QSqlDatabase::removeDatabase(name_);
}

void Station::exec(QSqlQuery& query, const char* statement, const QVariantList& values) {
  bool done = query.prepare(QLatin1String(statement));
  for (const QVariant& value : values) query.addBindValue(value);
  done = done && query.exec();
  if (!done) throw Error(QStringLiteral("the journal cannot be written: %1 (%2)").arg(problem(query.lastError()), journal_));
}

bool Station::connect() {
  if (ledger_) return true;
  try {
    ledger_ = std::make_unique<Ledger>(store_);
  } catch (const Error& error) {
    problem_ = QString::fromStdString(error.what());
  }
  return ledger_ != nullptr;
}

Seat Station::join(const FrozenStudy& study, const QJsonObject& about) {
  if (!connect()) throw Error(QStringLiteral("nobody can join while the server is out of reach: ") + problem_);
  try {
    return ledger_->join(study.hash(), about);
  } catch (const Error&) {
    ledger_.reset();   // connects anew next time
    throw;
  }
}

int Station::waiting() {
  QSqlQuery query(database_);
  exec(query, "SELECT count(*) FROM entries WHERE refused IS NULL");
  return query.next() ? query.value(0).toInt() : 0;
}

void Station::answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer,
    const QJsonObject& details) {
  const Protocol protocol = study.protocol();
  const auto plan = planTrials(protocol, study.hash(), mapping, seat.participant, seat.cell);
  if (trial < 0 || trial >= static_cast<int>(plan.size()) || !isAnswer(protocol, plan[static_cast<std::size_t>(trial)], answer))
    throw Error(QStringLiteral("the answer was not kept: trial %1 does not take '%2'").arg(trial).arg(answer));
  QJsonObject entry = details;
  entry[QStringLiteral("participant")] = seat.participant;
  entry[QStringLiteral("trial")] = trial;
  entry[QStringLiteral("answer")] = answer;
  entry[QStringLiteral("shown")] = QString::fromLatin1(planDigest(mapping, seat.participant, plan[static_cast<std::size_t>(trial)]));
  entry[QStringLiteral("entry")] = QUuid::createUuid().toString(QUuid::WithoutBraces);
  entry[QStringLiteral("answered")] = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);   // the chain's time is that of arrival
  QSqlQuery query(database_);
  exec(query, "INSERT INTO entries (study, entry) VALUES (?, ?)",
      {study.hash(), QString::fromUtf8(QJsonDocument(entry).toJson(QJsonDocument::Compact))});
  query.finish();
  reconcile();
}

bool Station::reconcile() {
  if (!connect()) return false;
  for (;;) {
    QSqlQuery query(database_);
    exec(query, "SELECT id, study, entry FROM entries WHERE refused IS NULL ORDER BY id LIMIT 1");
    if (!query.next()) return true;
    const qint64 id = query.value(0).toLongLong();
    const QString study = query.value(1).toString();
    const QJsonObject entry = QJsonDocument::fromJson(query.value(2).toString().toUtf8()).object();
    query.finish();
    try {
      ledger_->bring(study, entry);
      exec(query, "DELETE FROM entries WHERE id = ?", {id});
    } catch (const Refused& refused) {
      problem_ = QString::fromStdString(refused.what());
      exec(query, "UPDATE entries SET refused = ? WHERE id = ?", {problem_, id});
    } catch (const Error& error) {
      problem_ = QString::fromStdString(error.what());
      ledger_.reset();
      return false;
    }
  }
}

}  // namespace quantspot::study
