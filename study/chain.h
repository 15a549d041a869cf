// The evidence that no response was changed, dropped, repeated or moved: every record's hash holds the one before.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include <vector>

namespace quantspot::study {

// commitment = SHA-256(salt ‖ record); hash = SHA-256(previous hash ‖ "\n" ‖ number ‖ "\n" ‖ commitment), all in lower-case hex; before the
// first record stands the study's hash. Erasing a participant destroys salt and record; the commitment stays, so the chain
// still holds, and tells nothing, because nobody can guess 32 random bytes.
struct ChainRecord {
  qint64 number = 0;          // from 1
  QByteArray commitment, hash;
  QByteArray salt;            // 64 hex digits; empty: erased
  QByteArray record;          // compact JSON, exactly as hashed

  bool erased() const { return salt.isEmpty(); }
  QJsonObject json() const;
};

QByteArray commitmentOf(const QByteArray& salt, const QByteArray& record);
QByteArray linkHash(const QByteArray& previous, qint64 number, const QByteArray& commitment);

// The next record, with a fresh salt.
ChainRecord nextRecord(const QByteArray& previous_hash, qint64 previous_number, const QJsonObject& record);

// What is wrong, one line each with the record's number; empty when nothing is. Erased records must be named by a later record of
// kind "erasure". head: the exported head hash, or empty when it is not known (then a chain cut at its end, or made anew from the
// start, is not found here).
QStringList chainProblems(const QByteArray& study_hash, const std::vector<ChainRecord>& chain, const QByteArray& head = {});

// What is kept of one participant, for that person: `participant` and `records` (`number`, `commitment`, `hash`, `salt`, and `record` exactly as it was
// hashed). Throws Error when there is none.
QJsonObject recordsOf(const std::vector<ChainRecord>& chain, const QString& participant);

// number, commitment, hash, salt, record
QByteArray chainCsv(const std::vector<ChainRecord>& chain);
std::vector<ChainRecord> chainFromCsv(const QByteArray& csv);   // throws Error

}  // namespace quantspot::study
