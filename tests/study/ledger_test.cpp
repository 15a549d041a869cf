#include "study/connection.h"
#include "study/error.h"
#include "study/migrations.h"
#include "tests/study/reason.h"
#include "tests/study/sample_study.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QProcess>
#include <QSqlError>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <functional>
#include <unistd.h>

using namespace quantspot::study;
using quantspot::study::test::reason;

namespace {

QSqlDatabase lastConnection() { return QSqlDatabase::database(QSqlDatabase::connectionNames().constLast()); }

// Run as a second process: says the number of every answer that is stored, until it is killed.
int answerUntilKilled(const QString& path, const QString& hash) {
  Ledger ledger(path);
  for (int i = 0;; ++i) {
    const qint64 number = ledger.append(hash, "note", {}, {{"i", i}});
    std::printf("%lld\n", static_cast<long long>(number));
    std::fflush(stdout);
  }
}

}  // namespace

class LedgerTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString fresh() const {
    static int count = 0;
    return folder_.filePath(QStringLiteral("store%1/study.sqlite").arg(++count));
  }

 private Q_SLOTS:
  void aServerIsNamedWithoutItsPassword() {
    QCOMPARE(displayName("postgresql://qs:secret@host:5433/study"), QStringLiteral("postgresql://qs@host:5433/study"));
    QCOMPARE(displayName("/tmp/a b/study.sqlite"), QStringLiteral("/tmp/a b/study.sqlite"));
  }

  void aStudyComesBack() {
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    Ledger(path).addStudy(study);
    Ledger ledger(path);
    QCOMPARE(ledger.studies(), QStringList{study.hash()});
    const FrozenStudy back = ledger.study(study.hash().left(8));
    QCOMPARE(back.frozen, study.frozen);
    QCOMPARE(back.pictures, study.pictures);
    QCOMPARE(back.open(sample::kPassphrase).text(), study.open(sample::kPassphrase).text());
    QVERIFY(reason([&] { ledger.addStudy(study); }).contains("it is there already"));
    QVERIFY(reason([&] { ledger.study("nonsense"); }).contains(study.hash()));
  }

  void answersFollowThePlanAndFormAChain() {
    Ledger ledger(":memory:");
    const FrozenStudy study = sample::frozen();
    ledger.addStudy(study);
    const auto seats = sample::run(ledger, study, 2, 0.6);
    QCOMPARE(seats[1].cell, 1);
    const auto chain = ledger.chain(study.hash());
    QCOMPARE(chain.size(), 2u + 2 * 26);
    QVERIFY(chainProblems(study.hash().toLatin1(), chain, ledger.head(study.hash())).isEmpty());
    QCOMPARE(ledger.answered(study.hash(), seats[0].participant).size(), 26);
    const Mapping mapping = study.open(sample::kPassphrase);
    QVERIFY(reason([&] { ledger.answer(study, mapping, seats[0], 3, "A"); }).contains("answered already"));
    QVERIFY(reason([&] { ledger.answer(study, mapping, seats[0], 26, "A"); }).contains("no trial 26"));
    QVERIFY(reason([&] { ledger.answer(study, mapping, seats[0], 3, "Z"); }).contains("does not take 'Z'"));
    QCOMPARE(ledger.chain(study.hash()).size(), chain.size());
  }

  // A participant who reads the whole database while the study runs learns neither the salt nor which picture is which.
  void theFileAtRestTellsNothing() {
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    const Mapping mapping = study.open(sample::kPassphrase);
    Ledger ledger(path);
    ledger.addStudy(study);
    const auto seats = sample::run(ledger, study, 1, 0.5);
    QByteArray bytes;
    for (const QString& name : {path, path + "-wal"}) {
      QFile file(name);
      if (file.open(QIODevice::ReadOnly)) bytes += file.readAll();
    }
    QVERIFY(bytes.contains(seats[0].participant.toLatin1()));
    QVERIFY(!bytes.contains(mapping.salt) && !bytes.contains(mapping.salt.toHex()));
    for (const ChainRecord& record : ledger.chain(study.hash()))
      for (const char* secret : {"bnb-nf4", "gguf", "gold", "null", "repeat", "truth", "correct"})
        QVERIFY2(!record.record.contains(secret), record.record.constData());
    // Pictures lie in the order of their hashes, which is not that of the variants.
    QSqlQuery query(lastConnection());
    QVERIFY(query.exec("SELECT hash FROM study_pictures ORDER BY rowid"));
    QStringList order;
    while (query.next()) order << query.value(0).toString();
    QStringList sorted = order;
    sorted.sort();
    QCOMPARE(order, sorted);
    QCOMPARE(order.size(), 24);
  }

  void onlyTheLastAnswerCanBeTakenBackAndOnce() {
    Ledger ledger(":memory:");
    const FrozenStudy study = sample::frozen();
    const Mapping mapping = study.open(sample::kPassphrase);
    ledger.addStudy(study);
    const Seat seat = ledger.join(study.hash());
    QVERIFY(!ledger.undo(study.hash(), seat.participant));
    ledger.answer(study, mapping, seat, 0, "A");
    ledger.answer(study, mapping, seat, 1, "A");
    QVERIFY(ledger.undo(study.hash(), seat.participant));
    QVERIFY(!ledger.undo(study.hash(), seat.participant));
    QCOMPARE(ledger.answered(study.hash(), seat.participant), QList<int>{0});
    ledger.answer(study, mapping, seat, 1, "B");
    QCOMPARE(ledger.chain(study.hash()).size(), 5u);
  }

  void aClosedStudyTakesNoMoreAnswers() {
    Ledger ledger(":memory:");
    const FrozenStudy study = sample::frozen();
    const QString hash = study.hash();
    const Mapping mapping = study.open(sample::kPassphrase);
    ledger.addStudy(study);
    const Seat seat = ledger.join(hash);
    ledger.answer(study, mapping, seat, 0, "A");
    QVERIFY(ledger.closedAt(hash).isEmpty());
    ledger.close(hash);
    ledger.close(hash);
    const auto closed = ledger.chain(hash);
    QCOMPARE(closed.size(), 3u);
    QCOMPARE(closed[2].json()["kind"].toString(), QStringLiteral("close"));
    for (const auto& attempt : std::vector<std::function<void()>>{[&] { ledger.join(hash); }, [&] { ledger.answer(study, mapping, seat, 1, "A"); },
         [&] { ledger.undo(hash, seat.participant); }})
      QVERIFY(reason(attempt).contains("the study was closed at " + ledger.closedAt(hash)));
    // What a station kept from before the end still arrives; what was answered afterwards does not.
    const auto entry = [&](int trial, const char* time) {
      return QJsonObject{{"participant", seat.participant}, {"trial", trial}, {"answer", "A"}, {"entry", QString::number(trial)}, {"answered", time}};
    };
    ledger.bring(hash, entry(1, "2020-01-01T00:00:00.000Z"));
    QVERIFY(reason([&] { ledger.bring(hash, entry(2, "2120-01-01T00:00:00.000Z")); }).contains("closed"));
    QCOMPARE(ledger.answered(hash, seat.participant), (QList<int>{0, 1}));
    ledger.erase(hash, seat.participant);
    QVERIFY(chainProblems(hash.toLatin1(), ledger.chain(hash)).isEmpty());
    QVERIFY(!ledger.closedAt(hash).isEmpty());
  }

  void erasingDestroysTheRecordsAndKeepsTheChain() {
    const QString path = fresh();
    Ledger ledger(path);
    const FrozenStudy study = sample::frozen();
    ledger.addStudy(study);
    const auto seats = sample::run(ledger, study, 3, 0.5);
    const QByteArray before = ledger.head(study.hash());
    const QByteArray salt = ledger.chain(study.hash())[1].salt;
    ledger.erase(study.hash(), seats[0].participant);
    const auto chain = ledger.chain(study.hash());
    QVERIFY(chainProblems(study.hash().toLatin1(), chain).isEmpty());
    QCOMPARE(chain[80].hash, before);
    QVERIFY(chain[1].erased() && chain[1].record.isEmpty() && !chain[40].erased());
    QCOMPARE(ledger.join(study.hash()).cell, 3);   // the erased cell is not given again
    QVERIFY(reason([&] { ledger.erase(study.hash(), "nobody"); }).contains("no participant 'nobody'"));
    for (const QString& name : {path, path + "-wal"}) {
      QFile file(name);
      if (!file.open(QIODevice::ReadOnly)) continue;
      const QByteArray bytes = file.readAll();
      QVERIFY(!bytes.contains(seats[0].participant.toLatin1()) && !bytes.contains(salt));
      QVERIFY(name != path || bytes.contains(seats[1].participant.toLatin1()));
    }
  }

  void everyTamperingWithTheChainIsFound() {
    Ledger ledger(":memory:");
    const FrozenStudy study = sample::frozen();
    ledger.addStudy(study);
    sample::run(ledger, study, 1, 0.5);
    const auto chain = ledger.chain(study.hash());
    const QByteArray genesis = study.hash().toLatin1(), head = ledger.head(study.hash());
    const auto found = [&](const std::function<void(std::vector<ChainRecord>&)>& tamper) {
      auto bent = chain;
      tamper(bent);
      return !chainProblems(genesis, bent, head).isEmpty();
    };
    QVERIFY(!found([](auto&) {}));
    QVERIFY(found([](auto& c) { c.erase(c.begin() + 5); }));
    QVERIFY(found([](auto& c) { c.pop_back(); }));
    QVERIFY(found([](auto& c) { c.insert(c.begin() + 5, c[5]); }));
    QVERIFY(found([](auto& c) { std::swap(c[5], c[6]); }));
    QVERIFY(found([](auto& c) { c[5].record.replace("\"answer\":\"", "\"answer\":\"Z"); }));
    QVERIFY(found([](auto& c) { c[5].salt.clear(), c[5].record.clear(); }));   // an erasure that nobody recorded
    QVERIFY(found([](auto& c) { c[5].salt.clear(); }));
    QVERIFY(found([](auto& c) {   // the forger makes the rest of the chain anew: only the exported head shows it
      c[5] = nextRecord(c[4].hash, c[4].number, {{"kind", "response"}});
      for (std::size_t i = 6; i < c.size(); ++i) c[i].hash = linkHash(c[i - 1].hash, c[i].number, c[i].commitment);
    }));
    QCOMPARE(chainFromCsv(chainCsv(chain)).size(), chain.size());
    QVERIFY(chainProblems(genesis, chainFromCsv(chainCsv(chain)), head).isEmpty());
  }

  void nothingThatWasAcknowledgedIsLostToAKill() {
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    Ledger(path).addStudy(study);
    quantspot::statistics::Random random(4);
    qint64 acknowledged = 0;
    for (int round = 0; round < 12 || acknowledged < 1000; ++round) {
      QVERIFY2(round < 200, "the writer is too slow");
      QProcess writer;
      writer.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--answer-until-killed"), path, study.hash()});
      QVERIFY(writer.waitForReadyRead(20000));
      QTest::qSleep(static_cast<int>(10 + random.below(300)));
      writer.kill();
      QVERIFY(writer.waitForFinished());
      const QList<QByteArray> lines = writer.readAllStandardOutput().split('\n');
      acknowledged = lines[lines.size() - 2].toLongLong();   // the last complete line
      Ledger ledger(path);
      const auto chain = ledger.chain(study.hash());
      QVERIFY2(static_cast<qint64>(chain.size()) >= acknowledged, qPrintable(QStringLiteral("%1 of %2").arg(chain.size()).arg(acknowledged)));
      QVERIFY(chainProblems(study.hash().toLatin1(), chain).isEmpty());
    }
  }

  void twoProgramsMayWriteOneStudy() {
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    Ledger here(path), there(path);
    here.addStudy(study);
    QSet<int> cells;
    for (int i = 0; i < 10; ++i) cells << here.join(study.hash()).cell << there.join(study.hash()).cell;
    QCOMPARE(cells.size(), 20);
    QVERIFY(chainProblems(study.hash().toLatin1(), here.chain(study.hash())).isEmpty());
  }

  void aLockedDatabaseIsSaidAndNothingIsLost() {
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    Ledger ledger(path), blocker(path);
    ledger.addStudy(study);
    ledger.append(study.hash(), "note", {}, {});
    QSqlDatabase other = lastConnection();
    for (const QString& name : QSqlDatabase::connectionNames()) QVERIFY(QSqlQuery(QSqlDatabase::database(name)).exec("PRAGMA busy_timeout = 100"));
    {
      QSqlQuery query(other);
      QVERIFY(query.exec("BEGIN IMMEDIATE"));
      // One of the two holds the lock now: whichever does, the other one must say so.
      const QString said = reason([&] { ledger.append(study.hash(), "note", {}, {}); })
          + reason([&] { blocker.append(study.hash(), "note", {}, {}); });
      QVERIFY2(said.contains("locked") || said.contains("within a transaction"), qPrintable(said));
      QVERIFY2(said.contains("another program is writing"), qPrintable(said));
      query.exec("ROLLBACK");
    }
    ledger.append(study.hash(), "note", {}, {});
    QVERIFY(chainProblems(study.hash().toLatin1(), ledger.chain(study.hash())).isEmpty());
  }

  void aFullDiskIsSaidAndNothingIsHalfWritten() {
    Ledger ledger(fresh());
    const FrozenStudy study = sample::frozen();
    ledger.addStudy(study);
    QSqlQuery query(lastConnection());
    QVERIFY(query.exec("PRAGMA page_count") && query.next());
    const int pages = query.value(0).toInt();
    QVERIFY(query.exec(QStringLiteral("PRAGMA max_page_count = %1").arg(pages + 3)));   // SQLite answers as it does on a full disk
    query.finish();
    QString said;
    for (int i = 0; i < 500 && said.isEmpty(); ++i) said = reason([&] { ledger.append(study.hash(), "note", {}, {{"text", QString(200, 'x')}}); });
    QVERIFY2(said.contains("full") && said.contains("make room"), qPrintable(said));
    QVERIFY(chainProblems(study.hash().toLatin1(), ledger.chain(study.hash())).isEmpty());
    QVERIFY(query.exec("PRAGMA max_page_count = 1000000"));
    query.finish();
    ledger.append(study.hash(), "note", {}, {});
    QVERIFY(chainProblems(study.hash().toLatin1(), ledger.chain(study.hash())).isEmpty());
  }

  void aFolderOrFileThatCannotBeWrittenIsSaid() {
    QVERIFY(reason([] { Ledger ledger("/proc/quantspot/study.sqlite"); }).contains("/proc/quantspot"));
    const QString path = fresh();
    const FrozenStudy study = sample::frozen();
    { Ledger(path).addStudy(study); }
    Ledger ledger(path);
    QVERIFY(QSqlQuery(lastConnection()).exec("PRAGMA query_only = 1"));   // as for a file without the right to write (root has it anyway)
    const QString said = reason([&] { ledger.append(study.hash(), "note", {}, {}); });
    QVERIFY2(said.contains("readonly") && said.contains("right to write"), qPrintable(said));
  }

  void aClockThatWasSetBackIsNoted() {
    Ledger ledger(":memory:");
    const FrozenStudy study = sample::frozen();
    ledger.addStudy(study);
    ledger.append(study.hash(), "note", {}, {});
    QVERIFY(ledger.lastWarning().isEmpty());
    QSqlQuery query(lastConnection());
    QVERIFY(query.exec("UPDATE chain SET record = replace(record, '\"time\":\"20', '\"time\":\"21')"));   // a record of the next century
    query.finish();
    ledger.append(study.hash(), "note", {}, {});
    QVERIFY2(ledger.lastWarning().contains("clock"), qPrintable(ledger.lastWarning()));
    QVERIFY(ledger.chain(study.hash())[1].json()["clock_back_s"].toDouble() > 1e9);
  }

  void anOldFileIsCopiedBeforeItIsChanged() {
    const QString path = fresh();
    QVERIFY(QDir().mkpath(QFileInfo(path).absolutePath()));
    {
      QSqlDatabase database = QSqlDatabase::addDatabase("QSQLITE", "old");
      database.setDatabaseName(path);
      QVERIFY(database.open());
      QCOMPARE(migrate(database, {schemaScripts()[0]}), QString());
      QVERIFY(QSqlQuery(database).exec("INSERT INTO comparisons (created, model, prompt, recipe) VALUES ('2025', 'm', 'a fox', '{}')"));
    }
    QSqlDatabase::removeDatabase("old");
    QVERIFY(!QFile::exists(path + ".schema1.bak"));
    { Ledger(path).addStudy(sample::frozen()); }
    {
      QSqlDatabase copy = QSqlDatabase::addDatabase("QSQLITE", "copy");
      copy.setDatabaseName(path + ".schema1.bak");
      QVERIFY(copy.open());
      QSqlQuery query(copy);
      QVERIFY(query.exec("SELECT prompt FROM comparisons") && query.next());
      QCOMPARE(query.value(0).toString(), QStringLiteral("a fox"));
      QVERIFY(!query.exec("SELECT * FROM studies"));
    }
    QSqlDatabase::removeDatabase("copy");
  }
};

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  const QStringList arguments = application.arguments();
  if (arguments.value(1) == QLatin1String("--answer-until-killed")) return answerUntilKilled(arguments.value(2), arguments.value(3));
  LedgerTest test;
  return QTest::qExec(&test, argc, argv);
}
#include "ledger_test.moc"
