#include "study/error.h"
#include "study/ledger.h"
#include "study/trial_plan.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSqlError>
#include <QSqlQuery>

#include <algorithm>

namespace quantspot::study {
namespace {

// Trials with a response that stands, in the order of the answers.
QList<int> standing(QSqlQuery& records, QString& last_kind) {
  QList<int> trials;
  while (records.next()) {
    const QJsonObject json = QJsonDocument::fromJson(records.value(0).toString().toUtf8()).object();
    const QString kind = json[QStringLiteral("kind")].toString();
    if (kind == QLatin1String("response")) trials << json[QStringLiteral("trial")].toInt();
    if (kind == QLatin1String("undo")) trials.removeAll(json[QStringLiteral("trial")].toInt());
    if (kind == QLatin1String("response") || kind == QLatin1String("undo")) last_kind = kind;
  }
  return trials;
}

constexpr char kRecordsOf[] = "SELECT record FROM chain WHERE study = ? AND participant = ? AND record IS NOT NULL ORDER BY number";

}  // namespace

QList<int> Ledger::answered(const QString& study, const QString& participant) {
  QSqlQuery query(database_);
  run(query, kRecordsOf, {study, participant});
  QString last;
  return standing(query, last);
}

qint64 Ledger::answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer,
    const QJsonObject& details) {
  const Protocol protocol = study.protocol();
  const QString hash = study.hash(), what = QStringLiteral("the answer was not kept");
  const auto plan = planTrials(protocol, hash, mapping, seat.participant, seat.cell);
  if (trial < 0 || trial >= static_cast<int>(plan.size()))
    fail(what, QStringLiteral("there is no trial %1; the plan has %2").arg(trial).arg(plan.size()));
  const PlannedTrial& planned = plan[static_cast<std::size_t>(trial)];
  if (!isAnswer(protocol, planned, answer))
    fail(what, QStringLiteral("trial %1 (%2) does not take '%3'").arg(trial).arg(kindName(planned.kind), answer));
  qint64 number = 0;
  inTransaction(what, [&] {
    refuseWhenClosed(hash, what);
    if (answered(hash, seat.participant).contains(trial))
      fail(what, QStringLiteral("trial %1 is answered already; take the last answer back first").arg(trial));
    QJsonObject record = details;
    record[QStringLiteral("trial")] = trial;
    record[QStringLiteral("answer")] = answer;
    record[QStringLiteral("shown")] = QString::fromLatin1(planDigest(mapping, seat.participant, planned));
    number = appendNow(hash, QStringLiteral("response"), seat.participant, record).number;
  });
  return number;
}

QDateTime Ledger::lastSeen(const QString& study, const QString& participant) {
  QSqlQuery query(database_);
  run(query, kRecordsOf, {study, participant});
  QDateTime last;
  while (query.next()) {
    const QJsonObject json = QJsonDocument::fromJson(query.value(0).toString().toUtf8()).object();
    last = QDateTime::fromString(json[QStringLiteral("answered")].toString(json[QStringLiteral("time")].toString()), Qt::ISODateWithMs);
  }
  return last;
}

void Ledger::bring(const QString& study, const QJsonObject& entry) {
  const QString participant = entry[QStringLiteral("participant")].toString();
  const QString kind = entry[QStringLiteral("kind")].toString(QStringLiteral("response"));
  inTransaction(QStringLiteral("the answer was not brought"), [&] {
    QSqlQuery query(database_);
    run(query, "SELECT count(*) FROM seats WHERE study = ? AND participant = ?", {study, participant});
    if (!query.next() || query.value(0).toInt() == 0)
      throw Refused(QStringLiteral("the answer of '%1' was refused: nobody of that id is in the study").arg(participant));
    query.finish();
    run(query, kRecordsOf, {study, participant});
    const QString id = entry[QStringLiteral("entry")].toString();
    while (query.next())
      if (QJsonDocument::fromJson(query.value(0).toString().toUtf8()).object()[QStringLiteral("entry")].toString() == id) return;
    query.finish();
    const QString closed = closedAt(study);   // both times are UTC and ISO 8601, so they compare as texts
    if (!closed.isEmpty() && entry[QStringLiteral("answered")].toString() > closed)
      throw Refused(QStringLiteral("an answer of '%1' was refused: the study was closed at %2, before it was given").arg(participant, closed));
    const int trial = entry[QStringLiteral("trial")].toInt(-1);
    const QList<int> standing = answered(study, participant);
    if (kind == QLatin1String("response") && standing.contains(trial))
      throw Refused(QStringLiteral("an answer of '%1' was refused: trial %2 has another").arg(participant).arg(trial));
    if (kind == QLatin1String("undo") && (standing.isEmpty() || standing.last() != trial))
      throw Refused(QStringLiteral("'%1' could not take back trial %2: it is not the last answer").arg(participant).arg(trial));
    appendNow(study, kind, participant, entry);
  });
}

bool Ledger::undo(const QString& study, const QString& participant) {
  bool done = false;
  const QString what = QStringLiteral("the answer was not taken back");
  inTransaction(what, [&] {
    refuseWhenClosed(study, what);
    QSqlQuery query(database_);
    run(query, kRecordsOf, {study, participant});
    QString last;
    const QList<int> trials = standing(query, last);
    query.finish();
    if (trials.isEmpty() || last != QLatin1String("response")) return;
    appendNow(study, QStringLiteral("undo"), participant, {{"trial", trials.last()}});
    done = true;
  });
  return done;
}

QString Ledger::closedAt(const QString& study) {
  QSqlQuery query(database_);
  run(query, "SELECT record FROM chain WHERE study = ? AND participant IS NULL AND record IS NOT NULL ORDER BY number", {study});
  while (query.next()) {
    const QJsonObject json = QJsonDocument::fromJson(query.value(0).toString().toUtf8()).object();
    if (json[QStringLiteral("kind")].toString() == QLatin1String("close")) return json[QStringLiteral("time")].toString();
  }
  return {};
}

void Ledger::refuseWhenClosed(const QString& study, const QString& what) {
  const QString closed = closedAt(study);
  if (!closed.isEmpty()) throw Refused(QStringLiteral("%1: the study was closed at %2").arg(what, closed));
}

void Ledger::close(const QString& study) {
  inTransaction(QStringLiteral("the study was not closed"), [&] {
    if (closedAt(study).isEmpty()) appendNow(study, QStringLiteral("close"), {}, {});
  });
}

void Ledger::erase(const QString& study, const QString& participant) {
  const QString what = QStringLiteral("the participant was not erased");
  inTransaction(what, [&] {
    QSqlQuery query(database_);
    run(query, "SELECT number FROM chain WHERE study = ? AND participant = ? ORDER BY number", {study, participant});
    QJsonArray records;
    while (query.next()) records << query.value(0).toLongLong();
    query.finish();
    if (records.isEmpty()) fail(what, QStringLiteral("there is no participant '%1'").arg(participant));
    run(query, "UPDATE chain SET salt = NULL, record = NULL, participant = NULL WHERE study = ? AND participant = ?", {study, participant});
    // The seat's cell stays taken: another person in it would see the same order twice in one study.
    run(query, "UPDATE seats SET participant = 'erased-' || cell WHERE study = ? AND participant = ?", {study, participant});
    appendNow(study, QStringLiteral("erasure"), {}, {{"records", records}});
  });
  // What was destroyed must not lie on in the file's free pages or in its journal.
  const auto clean = connection_.isServer() ? std::vector{"VACUUM FULL chain", "VACUUM FULL seats"}
                                            : std::vector{"PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"};
  for (const char* statement : clean) {
    QSqlQuery query(database_);
    if (!query.exec(QLatin1String(statement)))
      fail(QStringLiteral("the participant was erased, but traces may remain in free pages"), problem(query.lastError()));
  }
}

}  // namespace quantspot::study
