// Comparisons and guesses in SQLite. One thread (that of the object); every change is one transaction that is on disk
// (WAL, synchronous=FULL) when the call returns, so an answered guess survives a killed process.
// Failure: the call returns false or nothing and `failed` carries one line with file, reason and remedy. Never throws.
#pragma once

#include "study/types.h"

#include <QObject>
#include <QSqlDatabase>

namespace quantspot::study {

class StudyStore : public QObject {
  Q_OBJECT
 public:
  explicit StudyStore(QObject* parent = nullptr);
  ~StudyStore() override;

  // study.sqlite in $QUANTSPOT_DATA, or else in the user's data folder.
  static QString defaultPath();

  // Creates folder and file when missing and migrates older schemas. A file that is no database, or of a newer program,
  // is left as it is.
  bool open(const QString& path = defaultPath());
  bool isOpen() const { return database_.isOpen(); }
  QString path() const { return path_; }
  QString lastError() const { return last_error_; }

  // Stores the comparison and its samples and fills in their ids.
  bool addComparison(Comparison& comparison);
  bool setScores(qint64 sample, const Scores& scores);
  // Trial and response together; returns the id.
  std::optional<qint64> addTrial(const AnsweredTrial& trial);

  // Newest first. search: words that must all occur in prompt, model or precisions; empty for all.
  std::vector<ComparisonHead> comparisons(const QString& search = {});
  std::optional<Comparison> comparison(qint64 id);          // with images
  std::vector<AnsweredTrial> trials(qint64 comparison);     // oldest first
  std::vector<Tally> tallies();
  bool removeComparison(qint64 id);                         // with its samples, trials and responses

 Q_SIGNALS:
  void failed(const QString& message);
  void changed();                                           // something was stored or removed

 private:
  friend class Transaction;
  bool fail(const QString& what, const QString& reason);
  bool migrate();
  void close();

  QSqlDatabase database_;
  QString connection_, path_, last_error_;
};

}  // namespace quantspot::study
