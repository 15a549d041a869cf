#include "study/study_store.h"

#include "study/migrations.h"
#include "study/picture.h"
#include "study/scores_json.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QSqlError>
#include <QSqlQuery>
#include <QStandardPaths>
#include <QUuid>

namespace quantspot::study {
namespace {

QString text(const QJsonObject& json) { return QString::fromUtf8(QJsonDocument(json).toJson(QJsonDocument::Compact)); }

QString nonNull(const QString& text) { return text.isNull() ? QLatin1String("") : text; }

QString stamp(const QDateTime& time) {
  return (time.isValid() ? time : QDateTime::currentDateTimeUtc()).toUTC().toString(Qt::ISODateWithMs);
}

// In words that say what to do where SQLite's do not.
QString problem(const QSqlError& error) {
  const QString said = error.databaseText().isEmpty() ? error.text() : error.databaseText();
  if (said.contains(QLatin1String("readonly database"))) return QObject::tr("the folder can only be read; start with --data and one that can be written");
  if (said.contains(QLatin1String("disk is full"))) return QObject::tr("the disk is full; make room on it and try again");
  return said;
}

}  // namespace

StudyStore::StudyStore(QObject* parent) : QObject(parent) {}

StudyStore::~StudyStore() { close(); }

QString StudyStore::defaultPath() {
  const QString folder = qEnvironmentVariable("QUANTSPOT_DATA");
  // One place for window and command line, whatever the program that asks is called.
  const QString shared = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) + QStringLiteral("/quantspot");
  return QDir(folder.isEmpty() ? shared : folder).filePath(QStringLiteral("study.sqlite"));
}

void StudyStore::close() {
  if (connection_.isEmpty()) return;
  database_ = {};   // removeDatabase wants no handle left
  QSqlDatabase::removeDatabase(connection_);
  connection_.clear();
}

bool StudyStore::fail(const QString& what, const QString& reason) {
  last_error_ = QStringLiteral("%1: %2 (%3)").arg(what, reason, QDir::toNativeSeparators(path_));
  Q_EMIT failed(last_error_);
  return false;
}

bool StudyStore::open(const QString& path) {
  close();
  path_ = path;
  const QString what = tr("Past comparisons cannot be opened");
  const bool on_disk = path != QLatin1String(":memory:");
  if (on_disk && !QDir().mkpath(QFileInfo(path).absolutePath()))
    return fail(what, tr("the folder cannot be made; set QUANTSPOT_DATA to one that can be written"));
  connection_ = QUuid::createUuid().toString();
  database_ = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), connection_);
  database_.setDatabaseName(path);
  database_.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=2000"));
  if (!database_.open()) {
    const QString reason = problem(database_.lastError());
    close();
    return fail(what, tr("%1; is the folder writable?").arg(reason));
  }
  QString reason;
  for (const char* pragma : {"foreign_keys = ON", "synchronous = FULL", "journal_mode = WAL", "secure_delete = ON"}) {
    QSqlQuery query(database_);
    if (reason.isEmpty() && !query.exec(QStringLiteral("PRAGMA ") + QLatin1String(pragma))) reason = problem(query.lastError());
  }
  if (reason.isEmpty()) reason = migrate(database_, schemaScripts());
  if (reason.isEmpty()) {
    Q_EMIT changed();
    return true;
  }
  close();
  const bool writable = !on_disk || (QFileInfo(path).isWritable() && QFileInfo(QFileInfo(path).absolutePath()).isWritable());
  return fail(what, (writable ? tr("%1; move the file away to start a new one")
                              : tr("%1; give yourself the right to write the file and its folder, or choose another with --data")).arg(reason));
}

bool StudyStore::run(QSqlQuery& query, const QVariantList& values) {
  for (const QVariant& value : values) query.addBindValue(value);
  if (query.exec()) return true;
  query_error_ = problem(query.lastError());
  return false;
}

bool StudyStore::inTransaction(const QString& what, const std::function<bool()>& body) {
  if (!isOpen()) return fail(what, tr("the database is not open"));
  QSqlQuery query(database_);
  // IMMEDIATE, so that a second program that writes makes us wait here and not fail in the middle.
  if (!query.exec(QStringLiteral("BEGIN IMMEDIATE"))) return fail(what, problem(query.lastError()));
  if (body()) {
    if (query.exec(QStringLiteral("COMMIT"))) return true;
    query_error_ = problem(query.lastError());
  }
  query.exec(QStringLiteral("ROLLBACK"));
  return fail(what, query_error_);
}

QString StudyStore::hashOf(const QByteArray& bytes) {
  return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
}

bool StudyStore::insertSample(qint64 comparison, int position, Sample& sample) {
  QSqlQuery query(database_);
  query.prepare(QStringLiteral("INSERT INTO samples (comparison, position, precision, repeat, png, report, scores, failure, content) "
                               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const bool scored = sample.scores != Scores{};
  const QVariant png = sample.png.isEmpty() ? QVariant(QMetaType(QMetaType::QByteArray)) : QVariant(sample.png);
  if (!run(query, {comparison, position, nonNull(sample.precision), sample.repeat, png, text(sample.report),
                   scored ? QVariant(text(toJson(sample.scores))) : QVariant(QMetaType(QMetaType::QString)), nonNull(sample.failure),
                   sample.png.isEmpty() ? QVariant(QMetaType(QMetaType::QString)) : QVariant(contentOf(sample.report, sample.png))}))
    return false;
  sample.id = query.lastInsertId().toLongLong();
  return true;
}

bool StudyStore::addComparison(Comparison& comparison) {
  Comparison stored = comparison;
  if (!stored.created.isValid()) stored.created = QDateTime::currentDateTimeUtc();
  const bool done = inTransaction(tr("The comparison was not kept"), [&] {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("INSERT INTO comparisons (created, model, prompt, recipe) VALUES (?, ?, ?, ?)"));
    if (!run(query, {stamp(stored.created), nonNull(stored.model), nonNull(stored.recipe[QStringLiteral("prompt")].toString()), text(stored.recipe)}))
      return false;
    stored.id = query.lastInsertId().toLongLong();
    for (std::size_t i = 0; i < stored.samples.size(); ++i)
      if (!insertSample(stored.id, static_cast<int>(i), stored.samples[i])) return false;
    if (stored.startPicture.isEmpty()) return true;
    query.prepare(QStringLiteral("INSERT INTO start_pictures (comparison, sha256, png) VALUES (?, ?, ?)"));
    return run(query, {stored.id, hashOf(stored.startPicture), stored.startPicture});
  });
  if (!done) return false;
  comparison = std::move(stored);
  Q_EMIT changed();
  return true;
}

bool StudyStore::setScores(qint64 sample, const Scores& scores) {
  return inTransaction(tr("The measurements were not kept"), [&] {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("UPDATE samples SET scores = CASE WHEN png IS NOT NULL THEN ? END WHERE id = ?"));
    if (!run(query, {text(toJson(scores)), sample})) return false;
    query_error_ = tr("there is no sample %1").arg(sample);
    return query.numRowsAffected() == 1;
  });
}

bool StudyStore::insertSlots(qint64 trial, const AnsweredTrial& answered) {
  for (std::size_t slot = 0; slot < answered.slot_samples.size(); ++slot) {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("INSERT INTO slots (trial, slot, sample, choice) VALUES (?, ?, ?, ?)"));
    const QString choice = answered.choices.value(static_cast<qsizetype>(slot));
    if (!run(query, {trial, static_cast<int>(slot), answered.slot_samples[slot], nonNull(choice)})) return false;
  }
  return true;
}

std::optional<qint64> StudyStore::addTrial(const AnsweredTrial& answered) {
  qint64 id = 0;
  const bool done = inTransaction(tr("The answer was not kept"), [&] {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("INSERT INTO trials (comparison, task, chance, counted, uncounted) VALUES (?, ?, ?, ?, ?)"));
    if (!run(query, {answered.comparison, taskName(answered.task), answered.chance, answered.uncounted.isEmpty(), nonNull(answered.uncounted)}))
      return false;
    id = query.lastInsertId().toLongLong();
    if (!insertSlots(id, answered)) return false;
    query.prepare(QStringLiteral("INSERT INTO responses (trial, confidence, response_ms, hits, tiles, answered) VALUES (?, ?, ?, ?, ?, ?)"));
    return run(query, {id, answered.confidence, answered.response_ms, answered.hits, answered.tiles, stamp(answered.answered)});
  });
  if (!done) return {};
  Q_EMIT changed();
  return id;
}

bool StudyStore::setTags(qint64 comparison, const QStringList& tags) {
  QStringList kept;
  for (const QString& tag : tags)
    if (const QString trimmed = tag.simplified(); !trimmed.isEmpty() && !kept.contains(trimmed)) kept << trimmed;
  const bool done = inTransaction(tr("The tags were not kept"), [&] {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("DELETE FROM tags WHERE comparison = ?"));
    if (!run(query, {comparison})) return false;
    for (const QString& tag : kept) {
      query.prepare(QStringLiteral("INSERT INTO tags (comparison, tag) VALUES (?, ?)"));
      if (!run(query, {comparison, tag})) return false;
    }
    return true;
  });
  if (done) Q_EMIT changed();
  return done;
}

bool StudyStore::removeComparison(qint64 id) {
  const bool done = inTransaction(tr("The comparison was not removed"), [&] {
    QSqlQuery query(database_);
    query.prepare(QStringLiteral("DELETE FROM comparisons WHERE id = ?"));
    return run(query, {id});
  });
  if (done) Q_EMIT changed();
  return done;
}

}  // namespace quantspot::study
