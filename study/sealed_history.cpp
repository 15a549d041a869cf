#include "study/sealed_history.h"

#include "study/connection.h"
#include "study/error.h"
#include "study/order.h"
#include "study/picture.h"
#include "study/seal.h"

#include <QCborArray>
#include <QCborMap>
#include <QCborValue>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>

#include <functional>

namespace quantspot::study {
namespace {

constexpr char kSealed[] = "sealed until a running study that shows it is revealed";

QByteArray keyOf(const Mapping& mapping) { return QByteArray::fromHex(hmacHex(mapping.salt, "history")); }

bool isFile(const QString& path) { return !path.startsWith(QLatin1String("postgresql://")) && QFileInfo::exists(path); }

// One SQLite file whose history is read and changed.
class HistoryFile {
 public:
  HistoryFile(QSqlDatabase database, QString path) : database_(std::move(database)), path_(std::move(path)) {}

  QSqlQuery run(const char* statement, const QVariantList& values = {}) {
    QSqlQuery query(database_);
    bool done = query.prepare(QLatin1String(statement));
    for (const QVariant& value : values) query.addBindValue(value);
    done = done && query.exec();
    if (!done) throw Error(QStringLiteral("the history's pictures cannot be sealed or opened: %1 (%2)").arg(problem(query.lastError()), path_));
    return query;
  }

  void inTransaction(const std::function<void()>& body) {
    run("BEGIN IMMEDIATE");
    try {
      body();
      run("COMMIT");
    } catch (...) {
      QSqlQuery(database_).exec(QStringLiteral("ROLLBACK"));
      throw;
    }
  }

  // Comparisons that hold a picture of `shown`.
  QList<qint64> holding(const QSet<QString>& shown) {
    QList<qint64> found;
    QSqlQuery query = run("SELECT id, comparison, report FROM samples WHERE png IS NOT NULL");
    while (query.next()) {
      const qint64 sample = query.value(0).toLongLong(), comparison = query.value(1).toLongLong();
      if (found.contains(comparison)) continue;
      const QString pixels = QJsonDocument::fromJson(query.value(2).toString().toUtf8())[QStringLiteral("image_sha256")].toString();
      if (shown.contains(pixels.isEmpty() ? bareHash(picture(sample)) : pixels)) found << comparison;
    }
    return found;
  }

  // Takes a comparison's pictures out, into `box` where there is one.
  void takeOut(qint64 comparison, const QString& note, QCborArray* box) {
    QSqlQuery query = run("SELECT id, png, report, scores FROM samples WHERE comparison = ? AND png IS NOT NULL", {comparison});
    QVariantList ids;
    while (query.next()) {
      ids << query.value(0);
      if (!box) continue;
      QCborMap entry{{QStringLiteral("id"), query.value(0).toLongLong()}, {QStringLiteral("png"), query.value(1).toByteArray()},
                     {QStringLiteral("report"), query.value(2).toString()}};
      if (!query.value(3).isNull()) entry[QStringLiteral("scores")] = query.value(3).toString();
      *box << entry;
    }
    query.finish();
    for (const QVariant& id : ids) run("UPDATE samples SET png = NULL, report = '{}', scores = NULL, failure = ? WHERE id = ?", {note, id});
    QSqlQuery columns = run("SELECT count(*) FROM pragma_table_info('samples') WHERE name = 'content'");
    if (columns.next() && columns.value(0).toInt() > 0) run("UPDATE samples SET content = NULL WHERE comparison = ?", {comparison});   // since schema 5
  }

  // What was taken out must not lie on in free pages or in the journal.
  void clean() {
    run("VACUUM");
    QSqlQuery query = run("PRAGMA wal_checkpoint(TRUNCATE)");
    if (query.next() && query.value(0).toInt() != 0)
      throw Error(QStringLiteral("the history's pictures are sealed, but traces may remain in its journal: another program reads it; close it and "
                                 "try again (%1)").arg(path_));
  }

 private:
  QByteArray picture(qint64 sample) {
    QSqlQuery query = run("SELECT png FROM samples WHERE id = ?", {sample});
    return query.next() ? query.value(0).toByteArray() : QByteArray();
  }

  QSqlDatabase database_;
  const QString path_;
};

void wipe(HistoryFile& file) { file.run("PRAGMA secure_delete = ON"); }

// A copy of the file from before an update of its schema: of any version, since the samples' columns that matter were always there.
void sealBackup(const QString& path, const QSet<QString>& shown) {
  const QString name = QUuid::createUuid().toString();
  {
    QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), name);
    database.setDatabaseName(path);
    try {
      if (!database.open()) throw Error(QStringLiteral("the backup %1 cannot be opened: %2").arg(path, problem(database.lastError())));
      HistoryFile file(database, path);
      wipe(file);
      const QList<qint64> comparisons = file.holding(shown);
      if (!comparisons.isEmpty()) {
        file.inTransaction([&] {
          for (const qint64 one : comparisons) file.takeOut(one, QStringLiteral("taken out of this backup: a study showed it"), nullptr);
        });
        file.clean();
      }
    } catch (...) {
      database = {};
      QSqlDatabase::removeDatabase(name);
      throw;
    }
  }
  QSqlDatabase::removeDatabase(name);
}

void sealBackups(const QString& path, const QSet<QString>& shown) {
  const QFileInfo info(path);
  const QDir folder = info.absoluteDir();
  for (const QString& name : folder.entryList({info.fileName() + QStringLiteral(".schema*.bak")}, QDir::Files))
    sealBackup(folder.filePath(name), shown);
}

}  // namespace

QSet<QString> shownBy(const FrozenStudy& study, const Mapping& mapping) {
  QSet<QString> shown;
  for (const QByteArray& picture : study.pictures) shown << bareHash(picture);
  for (const QJsonObject& variants : mapping.facts)
    for (const QJsonValue& facts : variants)
      if (const QString pixels = facts[QStringLiteral("image_sha256")].toString(); !pixels.isEmpty()) shown << pixels;
  return shown;
}

int sealHistory(const QString& path, const QString& study, const Mapping& mapping, const QSet<QString>& shown) {
  if (!isFile(path)) return 0;
  Connection connection(path);
  HistoryFile file(connection.database(), path);
  wipe(file);
  QCborArray box;
  const bool open = !file.holding(shown).isEmpty();      // mostly not: then nothing is locked, nor waited for
  if (open) file.inTransaction([&] {
    for (const qint64 comparison : file.holding(shown)) file.takeOut(comparison, QLatin1String(kSealed), &box);
    if (!box.isEmpty())
      file.run("INSERT INTO sealed_samples (study, box) VALUES (?, ?)", {study, sealWithKey(QCborValue(box).toCbor(), keyOf(mapping))});
  });
  if (open) file.clean();
  else file.run("PRAGMA wal_checkpoint(PASSIVE)");       // of an attempt before, that could not clean up
  sealBackups(path, shown);
  return static_cast<int>(box.size());
}

int unsealHistory(const QString& path, const QString& study, const Mapping& mapping) {
  if (!isFile(path)) return 0;
  Connection connection(path);
  HistoryFile file(connection.database(), path);
  int back = 0;
  file.inTransaction([&] {
    QList<QByteArray> boxes;
    QSqlQuery query = file.run("SELECT box FROM sealed_samples WHERE study = ? ORDER BY id", {study});
    while (query.next()) boxes << query.value(0).toByteArray();
    query.finish();
    for (const QByteArray& sealed : boxes)
      for (const QCborValue& value : QCborValue::fromCbor(unsealWithKey(sealed, keyOf(mapping))).toArray()) {
        const QCborMap entry = value.toMap();
        const QByteArray png = entry[QStringLiteral("png")].toByteArray();
        const QString report = entry[QStringLiteral("report")].toString();
        const QCborValue scores = entry[QStringLiteral("scores")];
        const QVariant none(QMetaType(QMetaType::QString));
        back += file.run("UPDATE samples SET png = ?, report = ?, scores = ?, content = ?, failure = '' WHERE id = ? AND failure = ?",
            {png, report, scores.isString() ? QVariant(scores.toString()) : none, contentOf(QJsonDocument::fromJson(report.toUtf8()).object(), png),
             entry[QStringLiteral("id")].toInteger(), QLatin1String(kSealed)}).numRowsAffected();
      }
    if (!boxes.isEmpty()) file.run("DELETE FROM sealed_samples WHERE study = ?", {study});
  });
  return back;
}

}  // namespace quantspot::study
