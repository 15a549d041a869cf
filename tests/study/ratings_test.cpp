// Grades of pictures: what they say of precisions, in the store and out of it.
#include "study/answers_table.h"
#include "study/csv.h"
#include "study/migrations.h"
#include "study/ratings.h"
#include "study/study_store.h"

#include <QFile>
#include <QSqlError>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::study;

namespace {

Comparison owls() {
  Comparison made;
  made.model = "default";
  made.recipe = {{"prompt", "an owl, \"grey\""}, {"seed", 7}};
  for (const char* precision : {"bnb-nf4", "bf16"})
    made.samples.push_back({.id = 0, .precision = precision, .repeat = 0, .png = "PNG", .report = {}, .scores = {}, .failure = {}});
  return made;
}

AnsweredTrial rated(const Comparison& comparison, int nf4, int bf16, bool counted = true) {
  AnsweredTrial made;
  made.comparison = comparison.id, made.task = Task::Rate, made.uncounted = counted ? QString() : QString::fromLatin1(kAskedAgain);
  made.confidence = 2, made.response_ms = 900;
  made.slot_samples = {comparison.samples[1].id, comparison.samples[0].id};
  made.choices = QStringList{QString::number(bf16), QString::number(nf4)};
  return made;
}

std::vector<RatedTile> tilesOf(const QString& precision, const std::vector<int>& grades) {
  std::vector<RatedTile> tiles;
  for (std::size_t i = 0; i < grades.size(); ++i)
    if (grades[i]) tiles.push_back({"default", precision, static_cast<qint64>(i), grades[i]});
  return tiles;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-9; }

QSqlDatabase databaseAt(const QString& path, const QString& name) {
  QSqlDatabase database = QSqlDatabase::addDatabase("QSQLITE", name);
  database.setDatabaseName(path);
  if (!database.open() || !QSqlQuery(database).exec("PRAGMA foreign_keys = ON")) qFatal("no database");
  return database;
}

}  // namespace

class RatingsTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

 private Q_SLOTS:
  // Expected: the same formula with numpy and scipy.stats.t.
  void meansAndDifferencesHaveWilsonsIntervalsOnTheScale() {
    std::vector<RatedTile> tiles = tilesOf("bnb-nf4", {3, 2, 4, 3, 0});
    for (const RatedTile& tile : tilesOf("bf16", {5, 4, 4, 5, 3})) tiles.push_back(tile);
    tiles.push_back({"another model", "bf16", 9, 1});
    const auto means = ratingMeans(tiles, "default");
    QCOMPARE(means.size(), 2u);
    QCOMPARE(means[0].precision, QStringLiteral("bf16"));
    QVERIFY(near(means[0].mean.value, 4.2) && means[0].mean.n == 5 && !means[0].change);
    QVERIFY(near(means[0].mean.ci95->first, 2.7576499367628338) && near(means[0].mean.ci95->second, 4.813191102228567));
    QVERIFY(near(means[1].mean.ci95->first, 1.8151990694513238) && near(means[1].mean.ci95->second, 4.184800930548676));
    QVERIFY(near(means[1].change->value, -1.5) && means[1].change->n == 4);                            // −2 −2 0 −2
    QVERIFY(near(means[1].change->ci95->first, -2.824481951962282) && near(means[1].change->ci95->second, 0.36278586207670127));
    QCOMPARE(gradeText(means[0].mean), QStringLiteral("4.2 (2.8–4.8)"));
    QCOMPARE(changeText(*means[1].change), QStringLiteral("−1.5 (−2.8 to +0.4)"));
    QVERIFY(ratingMeans(tiles, "none").empty());
  }

  void fewAndEqualGradesPromiseNothing() {
    const auto one = ratingMeans(tilesOf("fp8", {4}), "default");
    QVERIFY(!one[0].mean.ci95 && !one[0].change);                                                      // never beside bf16
    QCOMPARE(gradeText(one[0].mean), QStringLiteral("4.0"));
    const auto equal = ratingMeans(tilesOf("fp8", {4, 4, 4}), "default");
    QVERIFY(near(equal[0].mean.ci95->first, 2.7290254214809764) && near(equal[0].mean.ci95->second, 4.688011316508527));
    std::vector<RatedTile> two = tilesOf("bf16", {5, 1});
    for (const RatedTile& tile : tilesOf("fp8", {1, 5})) two.push_back(tile);
    const auto apart = ratingMeans(two, "default");
    QVERIFY(near(apart[1].change->ci95->first, -3.9876693349325123) && near(apart[1].change->ci95->second, 3.9876693349325123));
    QCOMPARE(gradeWord(1) + gradeWord(3) + gradeWord(5) + gradeWord(0) + gradeWord(6), QStringLiteral("BadFairExcellent"));
  }

  void gradesComeBackFromTheStore() {
    StudyStore store;
    Comparison first = owls(), second = owls(), third = owls();
    QVERIFY(store.open(":memory:") && store.addComparison(first) && store.addComparison(second) && store.addComparison(third));
    QVERIFY(store.addTrial(rated(first, 3, 5)) && store.addTrial(rated(second, 4, 4)) && store.addTrial(rated(second, 1, 1, false)));
    const auto tiles = store.ratings();
    QCOMPARE(tiles.size(), 4u);                                   // what is not counted is no data
    QCOMPARE(tiles[0].precision + QString::number(tiles[0].grade), QStringLiteral("bnb-nf43"));
    QCOMPARE(tiles[1].trial, tiles[0].trial);
    const auto heads = store.comparisons();
    QVERIFY(heads[0].ratings.empty());
    QCOMPARE(heads[1].ratings, (std::vector<std::pair<QString, int>>{{"bnb-nf4", 1}, {"bf16", 1}}));   // what was said last
    QCOMPARE(heads[1].trials, 2);
    QCOMPARE(heads[1].tiles, 0);
    QVERIFY(store.confusion().empty());
    QVERIFY(store.removeComparison(first.id));
    QCOMPARE(store.ratings().size(), 2u);
  }

  // A file of schema 3 with answers: all of them are there afterwards, a copy of the file as it was lies beside it, and grades go in.
  void aFileOfTwoTasksIsBroughtUpWithABackup() {
    const QString path = folder_.filePath("study.sqlite");
    {
      QSqlDatabase database = databaseAt(path, "old");
      QCOMPARE(migrate(database, schemaScripts().mid(0, 3)), QString());
      QSqlQuery query(database);
      for (const char* statement : {"INSERT INTO comparisons VALUES (1, '2026', 'default', 'an owl', '{\"prompt\": \"an owl\"}')",
                                    "INSERT INTO samples VALUES (5, 1, 0, 'bf16', 0, x'01', '{\"image_sha256\": \"abc\"}', NULL, '')",
                                    "INSERT INTO samples VALUES (6, 1, 1, 'bnb-nf4', 0, x'02', '{}', NULL, '')",
                                    "INSERT INTO trials VALUES (3, 1, 'name-each', 0.5, 1), (4, 1, 'name-each', 0.5, 0)",
                                    "INSERT INTO slots VALUES (3, 0, 6, 'bnb-nf4'), (3, 1, 5, 'bf16')",
                                    "INSERT INTO responses VALUES (3, 4, 1234, 2, 2, '2026'), (4, 4, 99, 1, 2, '2026')"})
        QVERIFY2(query.exec(statement), qPrintable(query.lastError().text()));
      QVERIFY(!query.exec("INSERT INTO trials VALUES (5, 1, 'rate', 0, 1)"));
    }
    QSqlDatabase::removeDatabase("old");
    {
      StudyStore store;
      QVERIFY2(store.open(path), qPrintable(store.lastError()));
      const auto trials = store.trials(1);
      QCOMPARE(trials.size(), 2u);
      QCOMPARE(trials[0].id, 3);
      QVERIFY(trials[0].uncounted.isEmpty() && trials[1].uncounted == QLatin1String(kAskedAgain));
      QCOMPARE(trials[0].choices, (QStringList{"bnb-nf4", "bf16"}));
      QCOMPARE(trials[0].response_ms, 1234);
      Comparison comparison = *store.comparison(1);
      QVERIFY(store.addTrial(rated(comparison, 2, 4)));
      QCOMPARE(store.ratings().size(), 2u);
      Comparison again = owls();                                               // what old pictures show is known by their reports
      again.samples[0].report[QStringLiteral("image_sha256")] = QStringLiteral("abc");
      QVERIFY(store.addComparison(again) && store.seenBefore(again.id));
    }
    {
      QSqlDatabase database = databaseAt(path, "new");
      QSqlQuery query(database);
      QVERIFY(query.exec("PRAGMA foreign_key_check") && !query.next());
      QVERIFY(!query.exec("INSERT INTO trials VALUES (9, 1, 'guess', 0, 1, '')"));
      QVERIFY(!query.exec("INSERT INTO slots VALUES (99, 0, 6, '')"));         // they refer to the new table
      QVERIFY(query.exec("DELETE FROM comparisons") && query.exec("SELECT (SELECT count(*) FROM slots) + (SELECT count(*) FROM responses)") &&
          query.next());
      QCOMPARE(query.value(0).toInt(), 0);
    }
    QSqlDatabase::removeDatabase("new");
    {
      QSqlDatabase copy = databaseAt(path + ".schema3.bak", "copy");
      QSqlQuery query(copy);
      QVERIFY(query.exec("SELECT choice FROM slots ORDER BY slot") && query.next());
      QCOMPARE(query.value(0).toString(), QStringLiteral("bnb-nf4"));
      QVERIFY(!query.exec("SELECT * FROM tags"));
    }
    QSqlDatabase::removeDatabase("copy");
  }

  void theTableHasARowPerTile() {
    StudyStore store;
    Comparison owl = owls();
    QVERIFY(store.open(":memory:") && store.addComparison(owl));
    AnsweredTrial named = rated(owl, 0, 0, false);
    named.task = Task::NameEach, named.choices = QStringList{"bnb-nf4", "bf16"}, named.confidence = 0;
    AnsweredTrial spotted = named;
    spotted.task = Task::SpotOne, spotted.choices = QStringList{"", kPicked};
    QVERIFY(store.addTrial(rated(owl, 3, 5)) && store.addTrial(named) && store.addTrial(spotted));
    const CsvTable table = parseCsvTable(answersTable(store));
    QCOMPARE(table.rows.size(), 6);
    const auto column = [&](const char* name) {
      QStringList values;
      for (const QStringList& row : table.rows) values << row[table.column(name)];
      return values;
    };
    QCOMPARE(column("task"), (QStringList{"rate", "rate", "name-each", "name-each", "spot", "spot"}));
    QCOMPARE(column("slot"), (QStringList{"A", "B", "A", "B", "A", "B"}));
    QCOMPARE(column("precision"), (QStringList{"bf16", "bnb-nf4", "bf16", "bnb-nf4", "bf16", "bnb-nf4"}));
    QCOMPARE(column("answer"), (QStringList{"5", "3", "bnb-nf4", "bf16", "", "picked"}));
    QCOMPARE(column("right"), (QStringList{"", "", "0", "0", "1", "1"}));
    QCOMPARE(column("counted"), (QStringList{"1", "1", "0", "0", "0", "0"}));
    QCOMPARE(column("confidence"), (QStringList{"2", "2", "", "", "", ""}));
    QCOMPARE(column("prompt")[0], QStringLiteral("an owl, \"grey\""));
    QCOMPARE(column("seed")[0], QStringLiteral("7"));
    StudyStore none;
    QVERIFY(none.open(":memory:"));
    QVERIFY(parseCsvTable(answersTable(none)).rows.isEmpty());
  }
};

QTEST_GUILESS_MAIN(RatingsTest)
#include "ratings_test.moc"
