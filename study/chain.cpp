#include "study/chain.h"

#include "study/csv.h"
#include "study/error.h"
#include "study/order.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSet>

namespace quantspot::study {

QJsonObject ChainRecord::json() const { return QJsonDocument::fromJson(record).object(); }

QByteArray commitmentOf(const QByteArray& salt, const QByteArray& record) { return sha256Hex(salt + record); }

QByteArray linkHash(const QByteArray& previous, qint64 number, const QByteArray& commitment) {
  return sha256Hex(previous + '\n' + QByteArray::number(number) + '\n' + commitment);
}

ChainRecord nextRecord(const QByteArray& previous_hash, qint64 previous_number, const QJsonObject& record) {
  ChainRecord next;
  next.number = previous_number + 1;
  next.salt = randomBytes(32).toHex();
  next.record = QJsonDocument(record).toJson(QJsonDocument::Compact);
  next.commitment = commitmentOf(next.salt, next.record);
  next.hash = linkHash(previous_hash, next.number, next.commitment);
  return next;
}

QStringList chainProblems(const QByteArray& study_hash, const std::vector<ChainRecord>& chain, const QByteArray& head) {
  QStringList problems;
  QByteArray previous = study_hash;
  QSet<qint64> erased, named;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const ChainRecord& record = chain[i];
    const auto wrong = [&](const QString& what) { problems << QStringLiteral("record %1: %2").arg(record.number).arg(what); };
    if (record.number != static_cast<qint64>(i) + 1) wrong(QStringLiteral("stands at place %1: records were dropped, repeated or moved").arg(i + 1));
    if (record.hash != linkHash(previous, record.number, record.commitment)) wrong(QStringLiteral("its hash does not follow from the record before"));
    if (record.erased() && record.record.isEmpty()) erased << record.number;
    else if (record.commitment != commitmentOf(record.salt, record.record)) wrong(QStringLiteral("its content is not what was recorded"));
    if (!record.erased() && record.json()[QStringLiteral("kind")].toString() == QLatin1String("erasure"))
      for (const QJsonValue& number : record.json()[QStringLiteral("records")].toArray()) named << number.toInteger();
    previous = record.hash;
  }
  for (qint64 number : erased)
    if (!named.contains(number)) problems << QStringLiteral("record %1: is missing, and no erasure names it").arg(number);
  for (qint64 number : named)
    if (!erased.contains(number)) problems << QStringLiteral("record %1: is there although an erasure names it").arg(number);
  if (!head.isEmpty() && previous != head) problems << QStringLiteral("the chain ends with another hash than the one that was exported");
  return problems;
}

QJsonObject recordsOf(const std::vector<ChainRecord>& chain, const QString& participant) {
  QJsonArray records;
  for (const ChainRecord& record : chain)
    if (!participant.isEmpty() && record.json()[QStringLiteral("participant")].toString() == participant)
      records << QJsonObject{{"number", record.number}, {"commitment", QString::fromLatin1(record.commitment)},
                             {"hash", QString::fromLatin1(record.hash)}, {"salt", QString::fromLatin1(record.salt)},
                             {"record", QString::fromUtf8(record.record)}};
  if (records.isEmpty()) throw Error(QStringLiteral("no record of participant '%1' is kept in this study").arg(participant));
  return {{"participant", participant}, {"records", records}};
}

QByteArray chainCsv(const std::vector<ChainRecord>& chain) {
  QByteArray text = "number,commitment,hash,salt,record\n";
  for (const ChainRecord& r : chain)
    text += csvLine({QString::number(r.number), QString::fromLatin1(r.commitment), QString::fromLatin1(r.hash), QString::fromLatin1(r.salt),
        QString::fromUtf8(r.record)});
  return text;
}

std::vector<ChainRecord> chainFromCsv(const QByteArray& csv) {
  const CsvTable table = parseCsvTable(csv);
  std::vector<ChainRecord> chain;
  for (const QStringList& row : table.rows)
    chain.push_back({row[table.column("number")].toLongLong(), row[table.column("commitment")].toLatin1(), row[table.column("hash")].toLatin1(),
                     row[table.column("salt")].toLatin1(), row[table.column("record")].toUtf8()});
  return chain;
}

}  // namespace quantspot::study
