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

Station::Station(const QString& store, const QString& journal, Bringing bringing)
    : bringing_(bringing), store_(store), journal_(journal), name_(QUuid::createUuid().toString()) {
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
  if (bringing_ == Bringing::WithEach) connect();
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

Ledger& Station::server() {
  if (!connect()) throw Error(QStringLiteral("the store is out of reach, and nobody can begin or go on: ") + problem_);
  return *ledger_;
}

FrozenStudy Station::study(const QString& hash) {
  FrozenStudy found = server().study(hash);
  if (const QString closed = server().closedAt(found.hash()); !closed.isEmpty())
    throw Error(QStringLiteral("this study was closed at %1: nobody can take part any more").arg(closed));
  return found;
}

Seat Station::join(const FrozenStudy& study, const QJsonObject& about) {
  try {
    return server().join(study.hash(), about);
  } catch (const Error&) {
    ledger_.reset();   // connects anew next time
    throw;
  }
}

Station::Return Station::find(const FrozenStudy& study, const QString& participant) {
  if (!reconcile()) throw Error(QStringLiteral("the store is out of reach, and nobody can go on: ") + problem_);
  for (const Seat& seat : server().seats(study.hash()))
    if (seat.participant == participant) return {seat, server().answered(study.hash(), participant), server().lastSeen(study.hash(), participant)};
  throw Error(QStringLiteral("nobody in this study has the code '%1'").arg(participant));
}

int Station::count(const char* statement) {
  QSqlQuery query(database_);
  exec(query, statement);
  return query.next() ? query.value(0).toInt() : 0;
}

int Station::waiting() { return count("SELECT count(*) FROM entries WHERE refused IS NULL"); }

int Station::refused() { return count("SELECT count(*) FROM entries WHERE refused IS NOT NULL"); }

void Station::keep(const FrozenStudy& study, const Seat& seat, const QString& kind, QJsonObject entry) {
  entry[QStringLiteral("kind")] = kind;
  entry[QStringLiteral("participant")] = seat.participant;
  entry[QStringLiteral("entry")] = QUuid::createUuid().toString(QUuid::WithoutBraces);
  entry[QStringLiteral("answered")] = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);   // the chain's time is that of arrival
  QSqlQuery query(database_);
  exec(query, "INSERT INTO entries (study, entry) VALUES (?, ?)",
      {study.hash(), QString::fromUtf8(QJsonDocument(entry).toJson(QJsonDocument::Compact))});
  query.finish();
  if (bringing_ == Bringing::WithEach) attempt();
}

bool Station::attempt() {
  constexpr qint64 kBetweenAttempts = 10000;
  return (ledger_ || !lost_.isValid() || lost_.hasExpired(kBetweenAttempts)) && reconcile();
}

void Station::answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer,
    const QJsonObject& details) {
  const Protocol protocol = study.protocol();
  const auto plan = planTrials(protocol, study.hash(), mapping, seat.participant, seat.cell);
  if (trial < 0 || trial >= static_cast<int>(plan.size()) || !isAnswer(protocol, plan[static_cast<std::size_t>(trial)], answer))
    throw Error(QStringLiteral("the answer was not kept: trial %1 does not take '%2'").arg(trial).arg(answer));
  QJsonObject entry = details;
  entry[QStringLiteral("trial")] = trial;
  entry[QStringLiteral("answer")] = answer;
  entry[QStringLiteral("shown")] = QString::fromLatin1(planDigest(mapping, seat.participant, plan[static_cast<std::size_t>(trial)]));
  keep(study, seat, QStringLiteral("response"), entry);
}

void Station::undo(const FrozenStudy& study, const Seat& seat, int trial) { keep(study, seat, QStringLiteral("undo"), {{"trial", trial}}); }

void Station::note(const FrozenStudy& study, const Seat& seat, const QString& kind, QJsonObject record) {
  keep(study, seat, kind, std::move(record));
}

bool Station::reconcile() {
  if (!connect()) {
    lost_.start();
    return false;
  }
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
      if (!ledger_->lastWarning().isEmpty()) warning_ = ledger_->lastWarning();
      exec(query, "DELETE FROM entries WHERE id = ?", {id});
    } catch (const Refused& refused) {
      problem_ = QString::fromStdString(refused.what());
      exec(query, "UPDATE entries SET refused = ? WHERE id = ?", {problem_, id});
    } catch (const Error& error) {
      problem_ = QString::fromStdString(error.what());
      ledger_.reset();
      lost_.start();
      return false;
    }
  }
}

}  // namespace quantspot::study
