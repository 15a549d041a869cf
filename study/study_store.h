// Comparisons and guesses in SQLite. One thread (that of the object); every change is one transaction that is on disk
// (WAL, synchronous=FULL) when the call returns, so an answered guess survives a killed process.
// Failure: the call returns false or nothing and `failed` carries one line with file, reason and remedy. Never throws.
#pragma once

#include "study/types.h"

#include <QHash>
#include <QObject>
#include <QSqlDatabase>
#include <QVariantList>

#include <functional>

class QSqlQuery;

namespace quantspot::study {

class StudyStore : public QObject {
  Q_OBJECT
 public:
  explicit StudyStore(QObject* parent = nullptr);
  ~StudyStore() override;

  // study.sqlite in $QUANTSPOT_DATA, or else in the user's data folder.
  static QString defaultPath();

  // Creates folder and file when missing and migrates older schemas. A file that is no database, or of another or a newer
  // program, is left as it is. ":memory:" keeps everything until the end of the program, for when there is no disk.
  bool open(const QString& path = defaultPath());
  bool isOpen() const { return database_.isOpen(); }
  QString path() const { return path_; }
  QString lastError() const { return last_error_; }

  // Stores the comparison and its samples and fills in their ids.
  bool addComparison(Comparison& comparison);
  bool setScores(qint64 sample, const Scores& scores);
  // Trial and response together; returns the id.
  std::optional<qint64> addTrial(const AnsweredTrial& trial);

  // Newest first. search: words that must all occur in prompt, model, precisions or tags; empty for all.
  std::vector<ComparisonHead> comparisons(const QString& search = {});
  std::optional<Comparison> comparison(qint64 id);          // with images
  std::vector<AnsweredTrial> trials(qint64 comparison);     // oldest first
  // Whether one of its pictures, by its content, lies in another comparison that shows names: every one but imported ones that were not judged.
  bool seenBefore(qint64 comparison);
  QByteArray thumbnail(qint64 comparison);                  // PNG of its first picture; empty without one
  std::vector<QByteArray> pictures(qint64 comparison, int most);   // PNG, in the order of the request
  std::vector<Tally> tallies();
  std::vector<ConfusionCell> confusion();
  std::vector<RatedTile> ratings();                         // counted, oldest first
  bool removeComparison(qint64 id);                         // with its samples, trials, responses and tags
  bool setTags(qint64 comparison, const QStringList& tags); // in place of those that it has; trimmed, each once
  QStringList tags();                                       // all that are in use, sorted
  void readAnew() { Q_EMIT picturesChanged(), Q_EMIT changed(); }   // something else changed the file

 Q_SIGNALS:
  void failed(const QString& message);
  void picturesChanged();                                   // some are there that were not, or the other way round
  void changed();                                           // opened, or something was stored or removed

 private:
  bool fail(const QString& what, const QString& reason);
  // Runs body inside BEGIN IMMEDIATE … COMMIT; rolls back when it returns false or the commit fails.
  bool inTransaction(const QString& what, const std::function<bool()>& body);
  bool run(QSqlQuery& query, const QVariantList& values);
  bool select(QSqlQuery& query, const char* statement, const QVariantList& values = {});
  bool insertSample(qint64 comparison, int position, Sample& sample);
  bool readTags(std::vector<ComparisonHead>& all, const QHash<qint64, std::size_t>& row);
  bool readLastRatings(std::vector<ComparisonHead>& all, const QHash<qint64, std::size_t>& row);
  bool insertSlots(qint64 trial, const AnsweredTrial& answered);
  void close();
  static QString hashOf(const QByteArray& bytes);           // SHA-256, hexadecimal

  QSqlDatabase database_;
  QString connection_, path_, last_error_;
  QString query_error_;                                     // of the last run() that failed
};

}  // namespace quantspot::study
