// What was drawn stays, is found again, and is drawn by one only.
#include "evaluation/run_costs.h"
#include "evaluation/work.h"
#include "tests/evaluation/fixture.h"
#include "tests/full_disk.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include <atomic>
#include <memory>

using namespace quantspot::evaluation;
using namespace std::chrono_literals;

class StoreTest : public QObject {
  Q_OBJECT
  QTemporaryDir temporary_;
  std::filesystem::path folder(const char* name) const { return temporary_.filePath(name).toStdString(); }

  // Draws all that nobody else draws; how many those were.
  static int drawAll(const Plan& plan, const std::filesystem::path& at, const std::string& run, std::chrono::milliseconds each = 0ms) {
    Store store(at);
    Claims claims(at / "claims");
    Work work(plan, store, claims, {.run = run});
    int drawn = 0;
    while (!work.complete()) {
      const auto cells = work.next();
      for (const Cell& cell : cells) {
        std::this_thread::sleep_for(each);
        work.done(cell, test::drawn(cell));
        ++drawn;
      }
      if (cells.empty()) std::this_thread::sleep_for(5ms);
    }
    return drawn;
  }

 private Q_SLOTS:
  void whatIsPutIsFoundByAnother() {
    const Plan plan(test::request());
    const Cell& cell = plan.cells()[1];
    Drawn made = test::drawn(cell);
    made.latents.resize(2 * 3 * sizeof(float));
    const float values[] = {1, 2, 3, 4, 5, 6};
    std::memcpy(made.latents.data(), values, sizeof values);
    made.latentCalls = 2;
    Store(folder("put")).put(cell.key, made);
    Store again(folder("put"));
    QVERIFY(again.finished(cell.key) && again.finished(cell.key, true));
    QVERIFY(!again.finished(plan.cells()[0].key));
    QVERIFY(again.report(cell.key) == made.report);
    QCOMPARE(again.png(cell.key), made.png);
    QCOMPARE(again.latents(cell.key), (std::vector<std::vector<float>>{{1, 2, 3}, {4, 5, 6}}));
    again.place(cell.key, folder("put") / "bf16" / "x.png");
    again.place(cell.key, folder("put") / "bf16" / "x.png");
    QCOMPARE(readBytes(folder("put") / "bf16" / "x.png"), made.png);
  }

  void withoutLatentsItIsGoodForOthers() {
    const Plan plan(test::request());
    const Cell& cell = plan.cells()[0];
    Store store(folder("plain"));
    store.put(cell.key, test::drawn(cell));
    QVERIFY(!store.finished(cell.key, true));
    QVERIFY(store.finished(cell.key));
  }

  void damageIsMadeAnew_data() {
    QTest::addColumn<QString>("ending");
    QTest::addColumn<QByteArray>("content");
    QTest::newRow("cut JSON") << ".json" << QByteArray("{\"key\": ");
    QTest::newRow("other JSON") << ".json" << QByteArray("[]");
    QTest::newRow("other types") << ".json" << QByteArray("{\"report\": {}, \"key\": 5, \"png_sha256\": 7}");
    QTest::newRow("cut picture") << ".png" << QByteArray("\1\2");
    QTest::newRow("empty picture") << ".png" << QByteArray();
  }
  void damageIsMadeAnew() {
    QFETCH(QString, ending);
    QFETCH(QByteArray, content);
    const Plan plan(test::request(1, 1));
    const auto at = folder(qPrintable("damage" + QByteArray(QTest::currentDataTag()).replace(' ', '_')));
    QCOMPARE(drawAll(plan, at, "first"), 2);
    const QString key = QString::fromStdString(plan.cells()[0].key);
    QFile file(QString::fromStdString(at.string()) + "/objects/" + key.left(2) + "/" + key + ending);
    QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
    file.write(content);
    file.close();
    QCOMPARE(drawAll(plan, at, "second"), 1);
    QCOMPARE(drawAll(plan, at, "third"), 0);
  }

  // What another program wrote there: a number for a text, a count that nothing can have.
  void wrongTypesAreNoFinds() {
    const Plan plan(test::request());
    const std::string key = plan.cells()[0].key;
    const auto at = folder("types") / "objects" / key.substr(0, 2);
    Store store(folder("types"));
    writeWhole(at / (key + ".latents"), std::string_view("12345678"));
    for (const char* calls : {"-1", "\"two\"", "1e300", "18446744073709551615"}) {
      writeWhole(at / (key + ".json"), std::string("{\"report\": {\"image_sha256\": 7}, \"latent_calls\": ") + calls + "}");
      QVERIFY2(store.latents(key).empty(), calls);
    }
    QCOMPARE(store.pixels(key), key);      // as where the report names none
    writeWhole(folder("types") / "failures" / (key + ".json"), std::string_view("{\"run\": \"one\", \"why\": 3}"));
    QCOMPARE(store.failure(key, "one"), std::optional<std::string>(""));
    QVERIFY(!store.failure(key, "two"));
  }

  void aFailureBelongsToItsRun() {
    const Plan plan(test::request(1, 1));
    Store store(folder("fail"));
    Claims claims(folder("fail") / "claims");
    Work first(plan, store, claims, {.run = "one"});
    for (int i = 0; i < 2; ++i) first.failed(first.next().at(0), "no memory");
    QVERIFY(first.complete());
    QCOMPARE(first.state().failed, std::size_t{2});
    QCOMPARE(store.failure(plan.cells()[0].key, "one").value(), std::string("no memory"));
    Work same(plan, store, claims, {.run = "one"});
    QVERIFY(same.complete());
    Work later(plan, store, claims, {.run = "two"});
    QVERIFY(!later.complete() && !later.next().empty());
  }

  void oneCellHasOneOwner() {
    Claims a(folder("claims")), b(folder("claims"));
    QVERIFY(a.take("x"));
    QVERIFY(!a.take("x") && !b.take("x") && b.held("x"));
    a.release("x");
    QVERIFY(!b.held("x") && b.take("x"));
  }

  void manyThreadsNeverShareACell() {
    std::atomic<int> taken = 0;
    {
      std::vector<std::unique_ptr<Claims>> all;
      for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<Claims>(folder("race")));
      std::vector<std::jthread> threads;
      for (auto& claims : all)
        threads.emplace_back([&] { for (int key = 0; key < 200; ++key) taken += claims->take(std::to_string(key)); });
      threads.clear();
      QCOMPARE(taken.load(), 200);
    }
  }

  void whatADeadProcessHeldIsFreeAtOnce() {
    const auto at = folder("dead");
    const pid_t child = ::fork();
    if (child == 0) {
      auto* claims = new Claims(at);     // never destroyed, as after kill -9
      ::_exit(claims->take("x") ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    QVERIFY(QFile::exists(QString::fromStdString((at / "x").string())));
    Claims mine(at);
    QCOMPARE(mine.of(child), std::set<std::string>{"x"});
    QVERIFY(!mine.held("x"));
    QVERIFY(mine.take("x"));
  }

  // A claim without its owner's name would hold the cell until it expires.
  void aFullDiskLeavesNoClaimBehind() {
    Claims claims(folder("full"));
    {
      const quantspot::test::FullDisk full(10);
      QVERIFY_EXCEPTION_THROWN(claims.take("x"), WriteError);
    }
    QVERIFY(!std::filesystem::exists(folder("full") / "x"));
    QVERIFY(claims.take("x"));
  }

  void aSilentHostsClaimExpires() {
    const auto at = folder("silent");
    std::filesystem::create_directories(at);
    writeWhole(at / "x", "another machine\n1\n12345\n");
    Claims patient(at, {.renew = 1h, .expire = 1h}), quick(at, {.renew = 1h, .expire = 300ms});
    QVERIFY(!patient.take("x") && !quick.take("x"));
    QTest::qWait(400);
    QVERIFY(!patient.take("x"));
    QVERIFY(quick.take("x"));
  }

  void aHeldClaimIsRenewed() {
    Claims owner(folder("renewed"), {.renew = 50ms, .expire = 500ms});
    QVERIFY(owner.take("x"));
    QTest::qWait(1000);
    Claims other(folder("renewed"), {.renew = 50ms, .expire = 500ms});
    QVERIFY(!other.take("x"));
  }

  void twoWorkersDrawEachCellOnce() {
    const Plan plan(test::request(10, 2));
    const auto at = folder("share");
    int drawn[2] = {};
    {
      std::jthread other([&] { drawn[1] = drawAll(plan, at, "r", 3ms); });
      drawn[0] = drawAll(plan, at, "r", 3ms);
    }
    QCOMPARE(drawn[0] + drawn[1], 40);
    QVERIFY2(drawn[0] > 5 && drawn[1] > 5, qPrintable(QString("%1 and %2").arg(drawn[0]).arg(drawn[1])));
  }

  void seedsOfOnePassBelongTogether() {
    const Plan plan(test::request(2, 5));
    Store store(folder("batch"));
    Claims claims(folder("batch") / "claims");
    Work work(plan, store, claims, {.run = "r", .batch = 3});
    std::vector<std::size_t> sizes;
    for (auto cells = work.next(); !cells.empty(); cells = work.next()) {
      sizes.push_back(cells.size());
      for (const Cell& cell : cells) {
        QVERIFY(cell.prompt == cells[0].prompt && cell.precision == cells[0].precision);
        work.done(cell, test::drawn(cell));
      }
    }
    QCOMPARE(sizes, (std::vector<std::size_t>{3, 3, 2, 2, 3, 3, 2, 2}));
    QVERIFY(work.complete());
  }

  void theTimeLeftComesFromWhatWasDrawn() {
    const Plan plan(test::request(3, 2));
    Store store(folder("costs"));
    Claims claims(folder("costs") / "claims");
    Work work(plan, store, claims, {.run = "r"});
    RunCosts costs = runCosts(plan, store, work, 1);
    QVERIFY(!costs.seconds);
    QCOMPARE(costs.unknown, (std::vector<std::string>{"bf16", "bnb-nf4"}));
    QVERIFY(costsText(costs, 1).find("not known before") != std::string::npos);
    for (int i = 0; i < 2; ++i) {
      const Cell cell = work.next().at(0);
      work.done(cell, test::drawn(cell, cell.precision == 0 ? 1 : 0.5));
    }
    costs = runCosts(plan, store, work, 2, 36);
    QCOMPARE(costs.seconds.value(), (5 * 6.0 + 5 * 3.0) / 2);
    QCOMPARE(costs.price.value(), 0.45);
    QCOMPARE(costs.bytes, 60.0);
    QCOMPARE(QString::fromStdString(costsText(costs, 2, 36)),
             QString("2 of 12 pictures are there; the other 10 take about 22 s on 2 workers (0.45 at 36.00 an hour) and 60 B on disk."));
  }
};

QTEST_GUILESS_MAIN(StoreTest)
#include "store_test.moc"
