#include "study/migrations.h"
#include "study/study_store.h"

#include <QFile>
#include <QJsonArray>
#include <QProcess>
#include <QSignalSpy>
#include <QSqlError>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <limits>
#include <unistd.h>

using namespace quantspot::study;

namespace {

Comparison foxes() {
  Comparison comparison;
  comparison.model = QStringLiteral("default");
  comparison.recipe = {{"prompt", "a fox"}, {"seed", 7}};
  comparison.samples = {{.id = 0, .precision = "bf16", .repeat = 0, .png = "\x89PNG one", .report = {{"schema", 1}}, .scores = {}, .failure = {}},
                        {.id = 0, .precision = "bnb-nf4", .repeat = 0, .png = QByteArray("two\0three", 9), .report = {{"schema", 1}},
                         .scores = {}, .failure = {}},
                        {.id = 0, .precision = "bnb-int8", .repeat = 0, .png = {}, .report = {}, .scores = {}, .failure = "killed (signal 9)"}};
  return comparison;
}

AnsweredTrial guess(const Comparison& comparison, int hits = 2) {
  AnsweredTrial trial;
  trial.comparison = comparison.id;
  trial.slot_samples = {comparison.samples[1].id, comparison.samples[0].id};
  trial.choices = QStringList{"bnb-nf4", "bf16"};
  trial.confidence = 4;
  trial.response_ms = 5120;
  trial.hits = hits;
  trial.tiles = 2;
  trial.chance = 0.5;
  return trial;
}

// Run as a second process: stores a guess, says so, and waits to be killed.
int writeAndWait(const QString& path) {
  StudyStore store;
  Comparison comparison = foxes();
  if (!store.open(path) || !store.addComparison(comparison) || !store.addTrial(guess(comparison))) return 1;
  std::puts("stored");
  std::fflush(stdout);
  pause();
  return 0;
}

}  // namespace

class StudyStoreTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString fresh() const {
    static int count = 0;
    return folder_.filePath(QStringLiteral("store%1/study.sqlite").arg(++count));
  }

 private Q_SLOTS:
  void pathFollowsTheEnvironment() {
    qputenv("QUANTSPOT_DATA", "/tmp/here");
    QCOMPARE(StudyStore::defaultPath(), QStringLiteral("/tmp/here/study.sqlite"));
    qunsetenv("QUANTSPOT_DATA");
    const QString name = QCoreApplication::applicationName();
    for (const char* program : {"quantspot", "quantspot-study"}) {   // what the window keeps, the command line finds
      QCoreApplication::setApplicationName(QLatin1String(program));
      QVERIFY2(StudyStore::defaultPath().endsWith(QStringLiteral("/quantspot/study.sqlite")), qPrintable(StudyStore::defaultPath()));
    }
    QCoreApplication::setApplicationName(name);
  }

  void everythingComesBackAfterReopening() {
    const QString path = fresh();
    Comparison comparison = foxes();
    {
      StudyStore store;
      QVERIFY2(store.open(path), qPrintable(store.lastError()));
      QVERIFY(store.addComparison(comparison));
      QVERIFY(store.addTrial(guess(comparison)));
      const Scores scores{.psnr = 31.5, .ssim = std::numeric_limits<double>::infinity(), .lpips = 0.25, .clip = {}, .clip_label = "CLIP-tiny",
                          .failures = QStringList{"clip: no"}};
      QVERIFY(store.setScores(comparison.samples[1].id, scores));
    }
    StudyStore store;
    QVERIFY(store.open(path));
    const auto back = store.comparison(comparison.id);
    QVERIFY(back);
    QCOMPARE(back->recipe, comparison.recipe);
    QCOMPARE(back->created.toUTC(), comparison.created);
    QCOMPARE(back->samples.size(), 3u);
    QCOMPARE(back->samples[1].png, comparison.samples[1].png);
    QCOMPARE(back->samples[1].report, comparison.samples[1].report);
    QCOMPARE(back->samples[1].scores.psnr, std::optional(31.5));
    QVERIFY(std::isinf(*back->samples[1].scores.ssim));
    QVERIFY(!back->samples[1].scores.clip);
    QCOMPARE(back->samples[1].scores.failures, QStringList{"clip: no"});
    QCOMPARE(back->samples[2].failure, QStringLiteral("killed (signal 9)"));
    const auto trials = store.trials(comparison.id);
    QCOMPARE(trials.size(), 1u);
    QCOMPARE(trials[0].choices, (QStringList{"bnb-nf4", "bf16"}));
    QCOMPARE(trials[0].slot_samples, (std::vector<qint64>{comparison.samples[1].id, comparison.samples[0].id}));
    QCOMPARE(trials[0].confidence, 4);
    QCOMPARE(trials[0].response_ms, 5120);
    QCOMPARE(store.thumbnail(comparison.id), comparison.samples[0].png);
  }

  void theStartPictureStaysWithItsComparison() {
    const QString path = fresh();
    Comparison with = foxes(), without = foxes();
    with.startPicture = QByteArray("\x89PNG from\0here", 14);
    {
      StudyStore store;
      QVERIFY(store.open(path) && store.addComparison(with) && store.addComparison(without));
      QCOMPARE(store.comparison(with.id)->startPicture, with.startPicture);
      QVERIFY(store.comparison(without.id)->startPicture.isEmpty());
    }
    QSqlDatabase database = QSqlDatabase::addDatabase("QSQLITE", "beside");
    database.setDatabaseName(path);
    QVERIFY(database.open());
    QSqlQuery query(database);
    QVERIFY(query.exec("UPDATE start_pictures SET png = x'00'"));   // no longer the one that was compared
    {
      StudyStore store;
      QVERIFY(store.open(path) && store.comparison(with.id)->startPicture.isEmpty());
      QVERIFY(store.removeComparison(with.id));
    }
    QVERIFY(query.exec("SELECT count(*) FROM start_pictures") && query.next());
    QCOMPARE(query.value(0).toInt(), 0);
    query = QSqlQuery();
    database = QSqlDatabase();
    QSqlDatabase::removeDatabase("beside");
  }

  void answersAreOnDiskWhenTheProcessIsKilled() {
    const QString path = fresh();
    QProcess writer;
    writer.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--write-and-wait"), path});
    QVERIFY(writer.waitForReadyRead(20000));
    QCOMPARE(writer.readAllStandardOutput(), "stored\n");
    writer.kill();
    QVERIFY(writer.waitForFinished());
    StudyStore store;
    QVERIFY2(store.open(path), qPrintable(store.lastError()));
    QCOMPARE(store.tallies().size(), 1u);
    QCOMPARE(store.tallies()[0].hits, 2);
    // A power cut cannot be tested here; that SQLite was told to expect one can.
    QSqlQuery query(QSqlDatabase::database(QSqlDatabase::connectionNames().constLast()));
    QVERIFY(query.exec(QStringLiteral("PRAGMA synchronous")) && query.next());
    QCOMPARE(query.value(0).toInt(), 2);
    QVERIFY(query.exec(QStringLiteral("PRAGMA journal_mode")) && query.next());
    QCOMPARE(query.value(0).toString(), QStringLiteral("wal"));
  }

  void historyCountsAndSearches() {
    StudyStore store;
    QSignalSpy changed(&store, &StudyStore::changed);
    QVERIFY(store.open(QStringLiteral(":memory:")));
    Comparison fox = foxes(), owl = foxes();
    owl.recipe = {{"prompt", "an Übereule on a green background"}, {"seed", 9}};
    QVERIFY(store.addComparison(fox) && store.addComparison(owl));
    QVERIFY(store.addTrial(guess(owl, 0)));
    QCOMPARE(changed.count(), 4);   // opening, two comparisons, one trial
    const auto all = store.comparisons();
    QCOMPARE(all.size(), 2u);
    QCOMPARE(all[0].id, owl.id);
    QCOMPARE(all[0].seed, 9u);
    QCOMPARE(all[0].precisions, (QStringList{"bf16", "bnb-nf4"}));
    QCOMPARE(all[0].failed, QStringList{"bnb-int8"});
    QCOMPARE(all[0].tiles, 2);
    QCOMPARE(all[1].trials, 0);
    QCOMPARE(store.comparisons(QStringLiteral("GREEN übereule")).size(), 1u);
    QCOMPARE(store.comparisons(QStringLiteral("fox nf4")).size(), 1u);
    QCOMPARE(store.comparisons(QStringLiteral("100%")).size(), 0u);
  }

  void talliesLeaveOutWhatIsNotCounted() {
    StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    Comparison comparison = foxes();
    QVERIFY(store.addComparison(comparison));
    AnsweredTrial first = guess(comparison, 0), again = guess(comparison, 2);
    first.choices = QStringList{"bf16", "bnb-nf4"};
    again.uncounted = QString::fromLatin1(kAskedAgain);
    QVERIFY(store.addTrial(first) && store.addTrial(again));
    QCOMPARE(store.tallies().size(), 1u);
    QCOMPARE(store.tallies()[0].trials, 1);
    QCOMPARE(store.tallies()[0].hits, 0);
    const auto confusion = store.confusion();
    QCOMPARE(confusion.size(), 2u);
    QCOMPARE(confusion[0].truth, QStringLiteral("bf16"));
    QCOMPARE(confusion[0].choice, QStringLiteral("bnb-nf4"));
    QVERIFY(store.removeComparison(comparison.id));
    QVERIFY(store.tallies().empty());
  }

  // A picture is known again by its content, except beside pictures that nobody was told the names of.
  void seenBeforeIsByContent() {
    StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    Comparison first = foxes(), again = foxes(), other = foxes();
    for (Sample& sample : other.samples) sample.png += "other";
    QVERIFY(store.addComparison(first));
    QVERIFY(!store.seenBefore(first.id));                              // in itself it was not
    QVERIFY(store.addComparison(again) && store.addComparison(other));
    QVERIFY(store.seenBefore(again.id) && !store.seenBefore(other.id));
    QVERIFY(store.removeComparison(first.id));
    QVERIFY(!store.seenBefore(again.id));
    Comparison hashed = foxes(), rewritten = foxes();                  // the same pixels in another file
    for (std::size_t i = 0; i < hashed.samples.size(); ++i) {
      hashed.samples[i].report[QStringLiteral("image_sha256")] = rewritten.samples[i].report[QStringLiteral("image_sha256")] = QString::number(i);
      hashed.samples[i].png += "1", rewritten.samples[i].png += "2";
    }
    hashed.model = QStringLiteral("imported");
    QVERIFY(store.addComparison(hashed) && store.addComparison(rewritten));
    QVERIFY(!store.seenBefore(rewritten.id));                          // imported and not judged: still without names
    QVERIFY(store.addTrial(guess(hashed, 1)));
    QVERIFY(store.seenBefore(rewritten.id));
  }

  void aHalfTrialIsNotKept() {
    StudyStore store;
    QSignalSpy failed(&store, &StudyStore::failed);
    QVERIFY(store.open(QStringLiteral(":memory:")));
    Comparison comparison = foxes();
    QVERIFY(store.addComparison(comparison));
    AnsweredTrial trial = guess(comparison);
    trial.slot_samples[1] = 999;   // no such sample: the last slot fails after the trial was inserted
    QVERIFY(!store.addTrial(trial));
    QCOMPARE(failed.count(), 1);
    QVERIFY2(store.lastError().contains(QStringLiteral("The answer was not kept")), qPrintable(store.lastError()));
    QSqlQuery query(QSqlDatabase::database(QSqlDatabase::connectionNames().constLast()));
    QVERIFY(query.exec(QStringLiteral("SELECT (SELECT count(*) FROM trials) + (SELECT count(*) FROM slots)")) && query.next());
    QCOMPARE(query.value(0).toInt(), 0);
    query.finish();
    trial.slot_samples[1] = comparison.samples[0].id;
    QVERIFY(store.addTrial(trial));
  }

  void aClosedStoreSaysSo() {
    StudyStore store;
    QSignalSpy failed(&store, &StudyStore::failed);
    Comparison comparison = foxes();
    QVERIFY(!store.addComparison(comparison));
    QCOMPARE(comparison.id, 0);
    QCOMPARE(failed.count(), 1);
    QVERIFY(store.comparisons().empty());
  }

  void aFileThatIsNoDatabaseIsLeftAlone() {
    const QString path = folder_.filePath(QStringLiteral("letter.sqlite"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(QByteArray(5000, 'x')) == 5000);
    file.close();
    StudyStore store;
    QVERIFY(!store.open(path));
    QVERIFY2(store.lastError().contains(path) && store.lastError().contains(QStringLiteral("not a database")), qPrintable(store.lastError()));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), QByteArray(5000, 'x'));
  }

  void aTruncatedDatabaseIsAnErrorAndNotACrash() {
    const QString path = fresh();
    {
      StudyStore store;
      QVERIFY(store.open(path));
      Comparison comparison = foxes();
      comparison.samples[0].png = QByteArray(200000, 'p');
      QVERIFY(store.addComparison(comparison));
    }
    QVERIFY(QFile::resize(path, 9000));
    StudyStore store;
    QSignalSpy failed(&store, &StudyStore::failed);
    if (store.open(path)) store.comparisons();
    QVERIFY(failed.count() >= 1);
    QVERIFY2(store.lastError().contains(QStringLiteral("malformed")), qPrintable(store.lastError()));
  }

  void aFolderThatCannotBeWrittenIsNamed() {
    StudyStore store;
    QVERIFY(!store.open(QStringLiteral("/proc/quantspot/study.sqlite")));
    QVERIFY2(store.lastError().contains(QStringLiteral("/proc/quantspot")), qPrintable(store.lastError()));
    if (geteuid() == 0) QSKIP("root may write everywhere: the rest needs another user");
    const QString folder = folder_.filePath(QStringLiteral("readonly"));
    QVERIFY(QDir().mkpath(folder) && QFile::setPermissions(folder, QFile::ReadOwner | QFile::ExeOwner));
    QVERIFY(!store.open(folder + QStringLiteral("/study.sqlite")));
    QVERIFY(store.lastError().contains(QStringLiteral("writable")));
  }

  void schemasOfOthersAreRefused_data() {
    QTest::addColumn<QString>("statement");
    QTest::addColumn<QString>("reason");
    QTest::newRow("newer") << "PRAGMA user_version = 99" << "newer QuantSpot (schema 99";
    QTest::newRow("another program") << "CREATE TABLE songs (id)" << "another program";
  }
  void schemasOfOthersAreRefused() {
    QFETCH(QString, statement);
    QFETCH(QString, reason);
    const QString path = folder_.filePath(QStringLiteral("%1.sqlite").arg(QString::fromLatin1(QTest::currentDataTag())));
    {
      QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("other"));
      database.setDatabaseName(path);
      QVERIFY(database.open());
      QVERIFY(QSqlQuery(database).exec(statement));
    }
    QSqlDatabase::removeDatabase(QStringLiteral("other"));
    StudyStore store;
    QVERIFY(!store.open(path));
    QVERIFY2(store.lastError().contains(reason), qPrintable(store.lastError()));
  }

  void migrationsRunOnceInOrderOrNotAtAll() {
    {
      QSqlDatabase database = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), QStringLiteral("steps"));
      database.setDatabaseName(QStringLiteral(":memory:"));
      QVERIFY(database.open());
      const QString one = QStringLiteral("-- first; with a comment\nCREATE TABLE a (x); INSERT INTO a VALUES (1);");
      const QString two = QStringLiteral("ALTER TABLE a ADD y DEFAULT 5;");
      QCOMPARE(migrate(database, {one}), QString());
      QVERIFY(!migrate(database, {one, two, QStringLiteral("nonsense")}).isEmpty());
      QVERIFY(!QSqlQuery(database).exec(QStringLiteral("SELECT y FROM a")));   // rolled back as a whole
      QCOMPARE(migrate(database, {one, two}), QString());
      QCOMPARE(migrate(database, {one, two}), QString());
      QSqlQuery query(database);
      QVERIFY(query.exec(QStringLiteral("SELECT x + y FROM a")) && query.next());
      QCOMPARE(query.value(0).toInt(), 6);
      QVERIFY(!query.next());
    }
    QSqlDatabase::removeDatabase(QStringLiteral("steps"));
  }

  void theSchemaIsEmbedded() { QVERIFY(schemaScripts().size() >= 1); }
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = application.arguments();
  if (arguments.value(1) == QLatin1String("--write-and-wait")) return writeAndWait(arguments.value(2));
  StudyStoreTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "study_store_test.moc"
