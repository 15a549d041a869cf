// One computer at which people answer: it keeps going when the server cannot be reached, and brings what it kept later.
#pragma once

#include "study/ledger.h"

#include <memory>

namespace quantspot::study {

// Every answer goes into a journal on this computer first; when answer() returns it is on disk here, and on the server when that can
// be reached. What the server has not got stays in the journal, across restarts, until reconcile() brings it: in order, each once
// (an entry has an id, by which the server's chain is asked first). One thread, one process per journal file.
class Station {
 public:
  // Throws Error when the journal cannot be opened. The server may be out of reach.
  Station(const QString& store, const QString& journal);
  ~Station();

  // Needs the server: cells are allotted there. Throws Error.
  Seat join(const FrozenStudy& study, const QJsonObject& about = {});

  // Refuses what Ledger::answer refuses, as far as it is known here. Throws Error when the answer could not be kept.
  void answer(const FrozenStudy& study, const Mapping& mapping, const Seat& seat, int trial, const QString& answer, const QJsonObject& details = {});

  // Brings what waits. True when nothing is left; false when the server is out of reach (lastProblem() says why). An entry that
  // the server refuses for good is moved aside in the journal, and named by lastProblem().
  bool reconcile();

  int waiting();                       // entries that the server has not got
  bool online() const { return ledger_ != nullptr; }
  QString lastProblem() const { return problem_; }

 private:
  bool connect();
  void exec(QSqlQuery& query, const char* statement, const QVariantList& values = {});

  QString store_, journal_, name_, problem_;
  QSqlDatabase database_;              // the journal
  std::unique_ptr<Ledger> ledger_;     // none while the server is out of reach
};

}  // namespace quantspot::study
