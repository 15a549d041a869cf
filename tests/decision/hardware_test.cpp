#include "decision/hardware.h"

#include <QTest>

#include <set>

using namespace quantspot::decision;

class HardwareTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // The table itself: a figure that changes is a decision that changes.
  void theTable_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("gib");
    QTest::addColumn<int>("gigabytesPerSecond");
    QTest::addColumn<bool>("bf16");
    QTest::addColumn<bool>("fp8");
    QTest::newRow("8 GB") << "rtx-4060" << 8 << 272 << true << true;
    QTest::newRow("10 GB") << "rtx-3080" << 10 << 760 << true << false;
    QTest::newRow("11 GB") << "rtx-2080-ti" << 11 << 616 << false << false;
    QTest::newRow("12 GB") << "rtx-4070" << 12 << 504 << true << true;
    QTest::newRow("16 GB") << "rtx-4080" << 16 << 717 << true << true;
    QTest::newRow("24 GB") << "rtx-3090" << 24 << 936 << true << false;
    QTest::newRow("32 GB") << "rtx-5090" << 32 << 1792 << true << true;
    QTest::newRow("40 GB") << "a100-40" << 40 << 1555 << true << false;
    QTest::newRow("48 GB") << "l40s" << 48 << 864 << true << true;
    QTest::newRow("80 GB") << "h100" << 80 << 3350 << true << true;
  }
  void theTable() {
    QFETCH(QString, id);
    const Hardware& gpu = knownGpu(id.toStdString());
    QTEST(static_cast<int>(gpu.memory >> 30), "gib");
    QTEST(static_cast<int>(gpu.bandwidth / 1e9), "gigabytesPerSecond");
    QTEST(gpu.bf16, "bf16");
    QTEST(gpu.fp8, "fp8");
  }

  void everyRowHasASourceAndAnIdOfItsOwn() {
    std::set<std::string> ids;
    std::int64_t memory = 0;
    for (const Hardware& gpu : knownGpus()) {
      QVERIFY(ids.insert(gpu.id).second);
      QVERIFY2(!gpu.source.empty() && gpu.link > 0 && gpu.bandwidth > gpu.link, gpu.id.c_str());
      QVERIFY2(gpu.memory >= memory, gpu.id.c_str());   // by memory
      memory = gpu.memory;
    }
    QCOMPARE(knownGpus().front().memory >> 30, 8);
    QCOMPARE(knownGpus().back().memory >> 30, 80);
    QVERIFY_EXCEPTION_THROWN(knownGpu("voodoo"), std::invalid_argument);
  }

  void theEngineTellsWhatItFound() {
    const nlohmann::json engine = {{"cpu_features", {"avx2", "avx512_bf16"}},
                                   {"hardware", {{"ram", 64LL << 30}, {"ram_free", 50LL << 30}, {"gpus", {{{"name", "RTX 4090"}, {"memory", 24LL << 30}, {"capability", 89}}}}}}};
    const auto all = foundHardware(engine);
    QCOMPARE(all.size(), std::size_t{2});
    QVERIFY(!all[0].gpu && all[0].bf16 && all[0].memory == 50LL << 30);
    QVERIFY(all[1].gpu && all[1].fp8 && all[1].found);
    QCOMPARE(all[1].id, std::string("gpu0"));
    QCOMPARE(foundHardware(nlohmann::json::object()).front().memory, 0);   // an engine that tells nothing
  }
};

QTEST_GUILESS_MAIN(HardwareTest)
#include "hardware_test.moc"
