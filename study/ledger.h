// Frozen studies, their participants and the chain of what they did: in the same SQLite file as the comparisons, or on a PostgreSQL
// server. One thread. Several programs may use one store: each change is one transaction that is on disk when the call returns.
// Everything throws Error with the store, the reason and a remedy; nothing is then changed.
#pragma once

#include "study/chain.h"
#include "study/connection.h"
#include "study/freeze.h"

#include <QDateTime>

#include <functional>
#include <optional>

class QSqlQuery;

namespace quantspot::study {

// A participant's place: a random id, never a name, and the row of the order design.
struct Seat {
  QString participant;
  int cell = 0;
};

// What a list of studies shows.
struct StudyHead {
  QString hash, title, added, closed;  // times: UTC, ISO 8601; closed: empty while it is open
  int people = 0;
  QString model = {};                  // that the pictures were made with; empty: not stated
};

class Ledger {
 public:
  // As Connection: a path, ":memory:" or postgresql://….
  explicit Ledger(const QString& store);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  void addStudy(const FrozenStudy& study);
  QStringList studies();                                   // hashes, oldest first
  std::vector<StudyHead> heads();                          // oldest first, without pictures
  // A unique beginning of the hash is enough.
  FrozenStudy study(const QString& hash);

  // Takes the lowest free cell and records kind "join" with what `about` says (consent version, age band).
  Seat join(const QString& study, const QJsonObject& about = {});
  std::vector<Seat> seats(const QString& study);

  // Adds kind, participant and time to the record and appends it. A clock that runs behind the last record is noted in the record
  // (clock_back_s) and said by lastWarning(). Returns the record's number.
  qint64 append(const QString& study, const QString& kind, const QString& participant, QJsonObject record);
  // A response to a trial of the plan, by its index. Refuses a trial that is answered already, and an answer that it does not take.
  qint64 answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer,
      const QJsonObject& details = {});
  // What a station kept while it was alone: a "response" (where `kind` is absent), an "undo", or what else it noted; `entry` is unique to it.
  // Does nothing when the chain has it already. Throws Refused for a trial that has another answer, for an undo of what is not the last
  // answer, for what was answered after the study was closed, and for a participant who is not in the study (any more).
  void bring(const QString& study, const QJsonObject& entry);
  // Takes back the participant's last response, once; both stay in the chain. False when there is none.
  bool undo(const QString& study, const QString& participant);
  // Indices of the trials with a response that stands.
  QList<int> answered(const QString& study, const QString& participant);
  // When the participant joined or did something for the last time, by the clock of then; invalid without a record.
  QDateTime lastSeen(const QString& study, const QString& participant);

  // Ends the study: a record of kind "close", after which nobody joins, answers or takes back; an answer that a station kept from before is
  // still taken by bring(). Erasing stays possible. Does nothing when it is closed.
  void close(const QString& study);
  QString closedAt(const QString& study);                  // UTC, ISO 8601; empty while it is open

  // Destroys records and salts of the participant, frees nothing else, and records the erasure. The chain stays valid.
  void erase(const QString& study, const QString& participant);

  std::vector<ChainRecord> chain(const QString& study);
  // What is kept of one participant, for that person: recordsOf() with `study` and `retention_until`. Throws Error when there is nothing.
  QJsonObject keptOf(const QString& study, const QString& participant);
  QByteArray head(const QString& study);                   // hash of the last record, or of the study

  // Puts a study with its whole chain into an empty place, as a bundle holds it. The chain is not checked here.
  void restore(const FrozenStudy& study, const std::vector<ChainRecord>& chain);

  QString lastWarning() const { return warning_; }

  // What `body` does with this ledger is one change: all of it is kept, or nothing when it throws.
  void atOnce(const QString& what, const std::function<void()>& body) { inTransaction(what, body); }

 private:
  void inTransaction(const QString& what, const std::function<void()>& body);
  void run(QSqlQuery& query, const char* statement, const QVariantList& values = {});
  ChainRecord appendNow(const QString& study, const QString& kind, const QString& participant, QJsonObject record);
  void refuseWhenClosed(const QString& study, const QString& what);
  void insertStudy(const FrozenStudy& study);
  void insertRecord(const QString& study, const QString& participant, const ChainRecord& record);
  [[noreturn]] void fail(const QString& what, const QString& reason) const;

  Connection connection_;
  QSqlDatabase database_;
  QString warning_;
  bool within_ = false;                                    // a transaction, of which the next one is a part
};

}  // namespace quantspot::study
