// The reading half of StudyStore.
#include "study/scores_json.h"
#include "study/study_store.h"

#include <QJsonDocument>
#include <QSqlQuery>

namespace quantspot::study {
namespace {

QJsonObject json(const QVariant& value) { return QJsonDocument::fromJson(value.toString().toUtf8()).object(); }

QDateTime time(const QVariant& value) { return QDateTime::fromString(value.toString(), Qt::ISODateWithMs); }

bool matches(const ComparisonHead& head, const QStringList& words) {
  const QString text = (QStringList{head.prompt, head.model} + head.precisions + head.failed + head.tags).join(u'\n');
  return std::all_of(words.begin(), words.end(), [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

Sample readSample(const QSqlQuery& query) {
  return {.id = query.value(0).toLongLong(), .precision = query.value(1).toString(), .repeat = query.value(2).toInt(),
          .png = query.value(3).toByteArray(), .report = json(query.value(4)), .scores = scoresFromJson(json(query.value(5))),
          .failure = query.value(6).toString()};
}

AnsweredTrial readTrial(const QSqlQuery& query) {
  return {.id = query.value(0).toLongLong(), .comparison = query.value(1).toLongLong(),
          .task = taskFromName(query.value(2).toString()).value_or(Task::NameEach), .slot_samples = {}, .choices = {},
          .confidence = query.value(5).toInt(), .response_ms = query.value(6).toLongLong(), .hits = query.value(7).toInt(),
          .tiles = query.value(8).toInt(), .chance = query.value(3).toDouble(), .uncounted = query.value(4).toString(),
          .answered = time(query.value(9))};
}

}  // namespace

bool StudyStore::select(QSqlQuery& query, const char* statement, const QVariantList& values) {
  const QString what = tr("Past comparisons cannot be read");
  if (!isOpen()) return false;   // said when it was opened
  query = QSqlQuery(database_);
  query.setForwardOnly(true);
  query.prepare(QLatin1String(statement));
  return run(query, values) || fail(what, query_error_);
}

bool StudyStore::readTags(std::vector<ComparisonHead>& all, const QHash<qint64, std::size_t>& row) {
  QSqlQuery query;
  if (!select(query, "SELECT comparison, tag FROM tags ORDER BY tag")) return false;
  while (query.next()) all[row[query.value(0).toLongLong()]].tags << query.value(1).toString();
  return true;
}

QStringList StudyStore::tags() {
  QStringList all;
  QSqlQuery query;
  if (!select(query, "SELECT DISTINCT tag FROM tags ORDER BY tag")) return {};
  while (query.next()) all << query.value(0).toString();
  return all;
}

bool StudyStore::readLastRatings(std::vector<ComparisonHead>& all, const QHash<qint64, std::size_t>& row) {
  QSqlQuery query;
  if (!select(query, "SELECT comparisons.id, precision, choice FROM comparisons "
                     "JOIN trials ON trials.id = (SELECT max(id) FROM trials WHERE comparison = comparisons.id AND task = 'rate') "
                     "JOIN slots ON slots.trial = trials.id JOIN samples ON samples.id = slots.sample ORDER BY comparisons.id, position"))
    return false;
  while (query.next()) all[row[query.value(0).toLongLong()]].ratings.emplace_back(query.value(1).toString(), query.value(2).toInt());
  return true;
}

std::vector<ComparisonHead> StudyStore::comparisons(const QString& search) {
  std::vector<ComparisonHead> all;
  QHash<qint64, std::size_t> row;
  QSqlQuery query;
  if (!select(query, "SELECT id, created, model, prompt, recipe FROM comparisons ORDER BY created DESC, id DESC")) return {};
  while (query.next()) {
    row[query.value(0).toLongLong()] = all.size();
    all.push_back({.id = query.value(0).toLongLong(), .created = time(query.value(1)), .model = query.value(2).toString(),
                   .prompt = query.value(3).toString(), .seed = json(query.value(4))[QStringLiteral("seed")].toVariant().toULongLong(),
                   .precisions = {}, .failed = {}});
  }
  if (!select(query, "SELECT comparison, precision, png IS NULL FROM samples ORDER BY comparison, position")) return {};
  while (query.next()) {
    ComparisonHead& head = all[row[query.value(0).toLongLong()]];
    QStringList& names = query.value(2).toBool() ? head.failed : head.precisions;
    if (!names.contains(query.value(1).toString())) names << query.value(1).toString();
  }
  if (!select(query, "SELECT comparison, count(*), sum(hits), sum(tiles), sum(NOT counted) FROM trials JOIN responses ON trial = id "
                     "GROUP BY comparison")) return {};
  while (query.next()) {
    ComparisonHead& head = all[row[query.value(0).toLongLong()]];
    head.trials = query.value(1).toInt();
    head.hits = query.value(2).toInt();
    head.tiles = query.value(3).toInt();
    head.uncounted = query.value(4).toInt();
  }
  if (!readLastRatings(all, row) || !readTags(all, row)) return {};
  const QStringList words = search.split(u' ', Qt::SkipEmptyParts);
  std::erase_if(all, [&](const ComparisonHead& head) { return !matches(head, words); });
  return all;
}

std::optional<Comparison> StudyStore::comparison(qint64 id) {
  QSqlQuery query;
  if (!select(query, "SELECT created, model, recipe FROM comparisons WHERE id = ?", {id}) || !query.next()) return {};
  Comparison found{.id = id, .created = time(query.value(0)), .model = query.value(1).toString(), .recipe = json(query.value(2)), .samples = {}};
  if (!select(query, "SELECT id, precision, repeat, png, report, scores, failure FROM samples WHERE comparison = ? ORDER BY position", {id}))
    return {};
  while (query.next()) found.samples.push_back(readSample(query));
  if (!select(query, "SELECT sha256, png FROM start_pictures WHERE comparison = ?", {id})) return {};
  if (query.next() && query.value(0).toString() == hashOf(query.value(1).toByteArray())) found.startPicture = query.value(1).toByteArray();
  return found;
}

std::vector<AnsweredTrial> StudyStore::trials(qint64 comparison) {
  std::vector<AnsweredTrial> found;
  QSqlQuery query;
  if (!select(query, "SELECT trials.id, comparison, task, chance, uncounted, confidence, response_ms, hits, tiles, answered "
                     "FROM trials JOIN responses ON trial = trials.id WHERE comparison = ? ORDER BY trials.id", {comparison}))
    return {};
  while (query.next()) found.push_back(readTrial(query));
  for (AnsweredTrial& trial : found) {
    if (!select(query, "SELECT sample, choice FROM slots WHERE trial = ? ORDER BY slot", {trial.id})) return {};
    while (query.next()) {
      trial.slot_samples.push_back(query.value(0).toLongLong());
      trial.choices << query.value(1).toString();
    }
  }
  return found;
}

QByteArray StudyStore::thumbnail(qint64 comparison) {
  QSqlQuery query;
  if (!select(query, "SELECT png FROM samples WHERE comparison = ? AND png IS NOT NULL ORDER BY position LIMIT 1", {comparison})) return {};
  return query.next() ? query.value(0).toByteArray() : QByteArray();
}

std::vector<QByteArray> StudyStore::pictures(qint64 comparison, int most) {
  std::vector<QByteArray> found;
  QSqlQuery query;
  if (!select(query, "SELECT png FROM samples WHERE comparison = ? AND png IS NOT NULL ORDER BY position LIMIT ?", {comparison, most})) return found;
  while (query.next()) found.push_back(query.value(0).toByteArray());
  return found;
}

bool StudyStore::seenBefore(qint64 comparison) {
  QSqlQuery query;
  return select(query, "SELECT count(*) FROM samples AS mine JOIN samples AS other ON other.content = mine.content "
                       "JOIN comparisons ON comparisons.id = other.comparison WHERE mine.comparison = ? AND other.comparison <> mine.comparison "
                       "AND (model <> 'imported' OR EXISTS (SELECT 1 FROM trials WHERE trials.comparison = comparisons.id))", {comparison})
      && query.next() && query.value(0).toInt() > 0;
}

std::vector<Tally> StudyStore::tallies() {
  std::vector<Tally> sums;
  QSqlQuery query;
  if (!select(query, "SELECT task, chance, count(*), sum(hits), sum(tiles) FROM trials JOIN responses ON trial = id "
                     "WHERE counted GROUP BY task, chance ORDER BY task, chance")) return {};
  while (query.next()) {
    const auto task = taskFromName(query.value(0).toString());
    if (task)
      sums.push_back({*task, query.value(1).toDouble(), query.value(2).toInt(), query.value(3).toInt(), query.value(4).toInt()});
  }
  return sums;
}

std::vector<ConfusionCell> StudyStore::confusion() {
  std::vector<ConfusionCell> cells;
  QSqlQuery query;
  if (!select(query, "SELECT precision, choice, count(*) FROM slots JOIN samples ON sample = samples.id JOIN trials ON trial = trials.id "
                     "WHERE counted AND task = 'name-each' GROUP BY precision, choice ORDER BY precision, choice")) return {};
  while (query.next()) cells.push_back({query.value(0).toString(), query.value(1).toString(), query.value(2).toInt()});
  return cells;
}

std::vector<RatedTile> StudyStore::ratings() {
  std::vector<RatedTile> all;
  QSqlQuery query;
  if (!select(query, "SELECT model, precision, trials.id, choice FROM trials JOIN slots ON slots.trial = trials.id "
                     "JOIN samples ON samples.id = sample JOIN comparisons ON comparisons.id = trials.comparison "
                     "WHERE counted AND task = 'rate' ORDER BY trials.id, position")) return {};
  while (query.next()) all.push_back({query.value(0).toString(), query.value(1).toString(), query.value(2).toLongLong(), query.value(3).toInt()});
  return all;
}

}  // namespace quantspot::study
