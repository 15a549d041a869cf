#include "study/ledger.h"

#include "study/error.h"
#include "study/order.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSqlError>
#include <QSqlQuery>

namespace quantspot::study {
void Ledger::fail(const QString& what, const QString& reason) const {
  throw Error(QStringLiteral("%1: %2 (%3)").arg(what, reason, connection_.displayName()));
}

Ledger::Ledger(const QString& store) : connection_(store), database_(connection_.database()) {}

Ledger::~Ledger() { database_ = {}; }

void Ledger::run(QSqlQuery& query, const char* statement, const QVariantList& values) {
  if (!query.prepare(QLatin1String(statement))) fail(QStringLiteral("the store cannot be used"), problem(query.lastError()));
  for (const QVariant& value : values) query.addBindValue(value);
  if (!query.exec()) fail(QStringLiteral("the store cannot be used"), problem(query.lastError()));
}

void Ledger::inTransaction(const QString& what, const std::function<void()>& body) {
  if (within_) return body();
  QSqlQuery query(database_);
  // A second station waits here, so that no two records follow the same one.
  if (!query.exec(connection_.isServer() ? QStringLiteral("BEGIN") : QStringLiteral("BEGIN IMMEDIATE"))) fail(what, problem(query.lastError()));
  within_ = true;
  try {
    if (connection_.isServer() && !query.exec(QStringLiteral("LOCK TABLE studies, seats, chain IN SHARE ROW EXCLUSIVE MODE")))
      fail(what, problem(query.lastError()));
    body();
    within_ = false;
    if (!query.exec(QStringLiteral("COMMIT"))) fail(what, problem(query.lastError()));
  } catch (...) {
    within_ = false;
    query.exec(QStringLiteral("ROLLBACK"));
    throw;
  }
}

void Ledger::insertStudy(const FrozenStudy& study) {
  QSqlQuery query(database_);
  run(query, "SELECT count(*) FROM studies WHERE hash = ?", {study.hash()});
  if (query.next() && query.value(0).toInt() > 0)
    fail(QStringLiteral("the study was not added"), QStringLiteral("it is there already, as ") + study.hash());
  query.finish();
  run(query, "INSERT INTO studies (hash, title, frozen, sealed, added) VALUES (?, ?, ?, ?, ?)",
      {study.hash(), study.protocol().title, QString::fromUtf8(study.frozen), study.sealed, QDateTime::currentDateTimeUtc().toString(Qt::ISODate)});
  for (auto picture = study.pictures.begin(); picture != study.pictures.end(); ++picture)
    run(query, "INSERT INTO study_pictures (study, hash, png) VALUES (?, ?, ?)", {study.hash(), picture.key(), picture.value()});
}

void Ledger::addStudy(const FrozenStudy& study) {
  inTransaction(QStringLiteral("the study was not added"), [&] { insertStudy(study); });
}

QStringList Ledger::studies() {
  QSqlQuery query(database_);
  run(query, "SELECT hash FROM studies ORDER BY added, hash");
  QStringList found;
  while (query.next()) found << query.value(0).toString();
  return found;
}

std::vector<StudyHead> Ledger::heads() {
  std::vector<StudyHead> found;
  QSqlQuery query(database_);
  run(query, "SELECT hash, title, added, (SELECT count(*) FROM seats WHERE study = hash), frozen FROM studies ORDER BY added, hash");
  while (query.next())
    found.push_back({query.value(0).toString(), query.value(1).toString(), query.value(2).toString(), {}, query.value(3).toInt(),
        QJsonDocument::fromJson(query.value(4).toString().toUtf8())[QStringLiteral("protocol")][QStringLiteral("model")].toString()});
  query.finish();
  for (StudyHead& head : found) head.closed = closedAt(head.hash);
  return found;
}

FrozenStudy Ledger::study(const QString& hash) {
  const QStringList matching = studies().filter(QRegularExpression(QLatin1Char('^') + QRegularExpression::escape(hash)));
  if (hash.isEmpty() || matching.size() != 1)
    fail(QStringLiteral("there is no study '%1'").arg(hash), !matching.isEmpty() ? QStringLiteral("several begin so")
        : studies().isEmpty() ? QStringLiteral("the store holds none") : QStringLiteral("the store holds: ") + studies().join(QStringLiteral(", ")));
  QSqlQuery query(database_);
  FrozenStudy study;
  run(query, "SELECT frozen, sealed FROM studies WHERE hash = ?", {matching[0]});
  if (query.next()) {
    study.frozen = query.value(0).toString().toUtf8();
    study.sealed = query.value(1).toByteArray();
  }
  run(query, "SELECT hash, png FROM study_pictures WHERE study = ?", {matching[0]});
  while (query.next()) study.pictures[query.value(0).toString()] = query.value(1).toByteArray();
  return study;
}

Seat Ledger::join(const QString& study, const QJsonObject& about) {
  Seat seat{.participant = QString::fromLatin1(randomBytes(8).toHex()), .cell = 0};
  const QString what = QStringLiteral("the participant was not added");
  inTransaction(what, [&] {
    refuseWhenClosed(study, what);
    QSqlQuery query(database_);
    run(query, "SELECT cell FROM seats WHERE study = ? ORDER BY cell", {study});
    while (query.next() && query.value(0).toInt() == seat.cell) ++seat.cell;
    query.finish();
    run(query, "INSERT INTO seats (study, participant, cell) VALUES (?, ?, ?)", {study, seat.participant, seat.cell});
    QJsonObject record = about;
    record[QStringLiteral("cell")] = seat.cell;
    appendNow(study, QStringLiteral("join"), seat.participant, record);
  });
  return seat;
}

std::vector<Seat> Ledger::seats(const QString& study) {
  QSqlQuery query(database_);
  run(query, "SELECT participant, cell FROM seats WHERE study = ? ORDER BY cell", {study});
  std::vector<Seat> found;
  while (query.next()) found.push_back({query.value(0).toString(), query.value(1).toInt()});
  return found;
}

void Ledger::insertRecord(const QString& study, const QString& participant, const ChainRecord& record) {
  const QVariant none(QMetaType(QMetaType::QString));
  QSqlQuery query(database_);
  run(query, "INSERT INTO chain (study, number, participant, commitment, hash, salt, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
      {study, record.number, participant.isEmpty() ? none : QVariant(participant), QString::fromLatin1(record.commitment),
      QString::fromLatin1(record.hash),
       record.erased() ? none : QVariant(QString::fromLatin1(record.salt)), record.erased() ? none : QVariant(QString::fromUtf8(record.record))});
}

ChainRecord Ledger::appendNow(const QString& study, const QString& kind, const QString& participant, QJsonObject record) {
  QSqlQuery query(database_);
  run(query, "SELECT number, hash, record FROM chain WHERE study = ? ORDER BY number DESC LIMIT 1", {study});
  qint64 number = 0;
  QByteArray previous = study.toLatin1();
  const QDateTime now = QDateTime::currentDateTimeUtc();
  if (query.next()) {
    number = query.value(0).toLongLong();
    previous = query.value(1).toByteArray();
    const QString last = QJsonDocument::fromJson(query.value(2).toString().toUtf8()).object()[QStringLiteral("time")].toString();
    const qint64 back = now.msecsTo(QDateTime::fromString(last, Qt::ISODateWithMs));
    warning_.clear();
    if (back > 1000) {   // less is rounding, or two machines
      record[QStringLiteral("clock_back_s")] = static_cast<double>(back) / 1000;
      warning_ = QStringLiteral("this computer's clock is %1 s behind the last record; "
                                "the order of records is kept, their times are not to be trusted").arg(back / 1000);
    }
  }
  query.finish();
  record[QStringLiteral("kind")] = kind;
  if (!participant.isEmpty()) record[QStringLiteral("participant")] = participant;
  record[QStringLiteral("time")] = now.toString(Qt::ISODateWithMs);
  const ChainRecord next = nextRecord(previous, number, record);
  insertRecord(study, participant, next);
  return next;
}

qint64 Ledger::append(const QString& study, const QString& kind, const QString& participant, QJsonObject record) {
  qint64 number = 0;
  inTransaction(QStringLiteral("the answer was not kept"), [&] { number = appendNow(study, kind, participant, std::move(record)).number; });
  return number;
}

std::vector<ChainRecord> Ledger::chain(const QString& study) {
  QSqlQuery query(database_);
  run(query, "SELECT number, commitment, hash, salt, record FROM chain WHERE study = ? ORDER BY number", {study});
  std::vector<ChainRecord> found;
  while (query.next())
    found.push_back({query.value(0).toLongLong(), query.value(1).toByteArray(), query.value(2).toByteArray(), query.value(3).toByteArray(),
        query.value(4).toByteArray()});
  return found;
}

QJsonObject Ledger::keptOf(const QString& hash, const QString& participant) {
  QJsonObject kept = recordsOf(chain(hash), participant);
  kept["study"] = hash, kept["retention_until"] = study(hash).protocol().retention_until;
  return kept;
}

QByteArray Ledger::head(const QString& study) {
  QSqlQuery query(database_);
  run(query, "SELECT hash FROM chain WHERE study = ? ORDER BY number DESC LIMIT 1", {study});
  return query.next() ? query.value(0).toByteArray() : study.toLatin1();
}

void Ledger::restore(const FrozenStudy& study, const std::vector<ChainRecord>& chain) {
  inTransaction(QStringLiteral("the study was not imported"), [&] {
    insertStudy(study);
    QSqlQuery query(database_);
    for (const ChainRecord& record : chain) {
      const QJsonObject json = record.json();
      const QString participant = json[QStringLiteral("participant")].toString();
      insertRecord(study.hash(), participant, record);
      if (json[QStringLiteral("kind")].toString() == QLatin1String("join"))
        run(query, "INSERT INTO seats (study, participant, cell) VALUES (?, ?, ?)",
            {study.hash(), participant, json[QStringLiteral("cell")].toInt()});
    }
  });
}

}  // namespace quantspot::study
