// One computer at which people answer: it keeps going when the server cannot be reached, and brings what it kept later.
#pragma once

#include "study/ledger.h"

#include <QElapsedTimer>

#include <memory>

namespace quantspot::study {

// Every answer goes into a journal on this computer first; when answer() returns it is on disk here, and on the server when that can
// be reached. What the server has not got stays in the journal, across restarts, until reconcile() brings it: in order, each once
// (an entry has an id, by which the server's chain is asked first). One thread; one process per journal file.
class Station {
 public:
  // Who brings what was kept: this station with each answer, or another one on the same journal (then this one reaches the server when it is asked
  // to).
  enum class Bringing { WithEach, ByAnother };
  // Throws Error when the journal cannot be opened. The server may be out of reach.
  Station(const QString& store, const QString& journal, Bringing bringing = Bringing::WithEach);
  ~Station();

  // Reaches for the server where it was out of reach. False: lastProblem() says why.
  bool reach() { return connect(); }

  // These four need the server, and throw Error. study: a beginning of its hash is enough; a closed one is refused.
  FrozenStudy study(const QString& hash);
  // Cells are allotted there.
  Seat join(const FrozenStudy& study, const QJsonObject& about = {});

  // Somebody who is to go on: the seat of a participant's id, the trials that were answered, and when that was.
  struct Return {
    Seat seat;
    QList<int> answered;
    QDateTime last_seen;
  };
  Return find(const FrozenStudy& study, const QString& participant);

  // Refuses what Ledger::answer refuses, as far as it is known here. Throws Error when the answer could not be kept.
  void answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer, const QJsonObject& details = {});

  // Takes back the answer to `trial`, which must be the participant's last. Kept like an answer.
  void undo(const FrozenStudy& study, const Seat& seat, int trial);
  // Keeps a record of another kind ("questionnaire", …) like an answer.
  void note(const FrozenStudy& study, const Seat& seat, const QString& kind, QJsonObject record);

  // Brings what waits. True when nothing is left; false when the server is out of reach (lastProblem() says why). An entry that
  // the server refuses for good is moved aside in the journal, and named by lastProblem().
  bool reconcile();
  // The same, unless an attempt failed in the last ten seconds: each may take seconds.
  bool attempt();

  int waiting();                       // entries that the server has not got
  int refused();                       // entries that the server refused for good
  bool online() const { return ledger_ != nullptr; }
  QString lastProblem() const { return problem_; }
  // What the store last had to say of a record: that the clock was set back. Empty while it never was.
  QString lastWarning() const { return warning_; }

 private:
  bool connect();
  Ledger& server();
  void keep(const FrozenStudy& study, const Seat& seat, const QString& kind, QJsonObject entry);
  int count(const char* statement);
  void exec(QSqlQuery& query, const char* statement, const QVariantList& values = {});

  const Bringing bringing_;
  QString store_, journal_, name_, problem_, warning_;
  QSqlDatabase database_;              // the journal
  std::unique_ptr<Ledger> ledger_;     // none while the server is out of reach
  QElapsedTimer lost_;                 // since it is; answers do not wait for every attempt
};

}  // namespace quantspot::study
