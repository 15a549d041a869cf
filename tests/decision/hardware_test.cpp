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
    QTest::addColumn<int>("nominal");
    QTest::addColumn<int>("mebibytes");
    QTest::addColumn<int>("gigabytesPerSecond");
    QTest::addColumn<double>("link");
    QTest::addColumn<bool>("bf16");
    QTest::addColumn<bool>("fp8");
    QTest::newRow("8 GB, eight lanes") << "rtx-4060" << 8 << 8188 << 272 << 15.75 << true << true;
    QTest::newRow("10 GB") << "rtx-3080" << 10 << 10240 << 760 << 31.5 << true << false;
    QTest::newRow("11 GB") << "rtx-2080-ti" << 11 << 11264 << 616 << 15.76 << false << false;
    QTest::newRow("12 GB") << "rtx-4070" << 12 << 12282 << 504 << 31.5 << true << true;
    QTest::newRow("16 GB, error correction") << "t4" << 16 << 15360 << 320 << 15.76 << false << false;
    QTest::newRow("16 GB") << "rtx-4080" << 16 << 16376 << 717 << 31.5 << true << true;
    QTest::newRow("24 GB, error correction") << "l4" << 24 << 23034 << 300 << 31.5 << true << true;
    QTest::newRow("24 GB") << "rtx-3090" << 24 << 24576 << 936 << 31.5 << true << false;
    QTest::newRow("32 GB") << "rtx-5090" << 32 << 32607 << 1792 << 63.0 << true << true;
    QTest::newRow("40 GB") << "a100-40" << 40 << 40960 << 1555 << 31.5 << true << false;
    QTest::newRow("48 GB") << "l40s" << 48 << 46068 << 864 << 31.5 << true << true;
    QTest::newRow("80 GB") << "h100" << 80 << 81559 << 3350 << 63.0 << true << true;
  }
  void theTable() {
    QFETCH(QString, id);
    QFETCH(double, link);
    const Hardware& gpu = knownGpu(id.toStdString());
    QTEST(gpu.nominal, "nominal");
    QTEST(static_cast<int>(gpu.memory >> 20), "mebibytes");
    QTEST(static_cast<int>(gpu.bandwidth / 1e9), "gigabytesPerSecond");
    QVERIFY(std::abs(gpu.link / 1e9 - link) < 0.05);
    QTEST(gpu.bf16, "bf16");
    QTEST(gpu.fp8, "fp8");
  }

  void everyRowHasASourceAndAnIdOfItsOwn() {
    std::set<std::string> ids;
    int nominal = 0;
    for (const Hardware& gpu : knownGpus()) {
      QVERIFY(ids.insert(gpu.id).second);
      QVERIFY2(!gpu.source.empty() && gpu.link > 0 && gpu.bandwidth > gpu.link, gpu.id.c_str());
      QVERIFY2(gpu.nominal >= nominal, gpu.id.c_str());   // by size
      nominal = gpu.nominal;
      const double share = static_cast<double>(gpu.memory >> 20) / (1024 * gpu.nominal);
      QVERIFY2(share > 0.93 && share <= 1, gpu.id.c_str());
    }
    QCOMPARE(knownGpus().front().nominal, 8);
    QCOMPARE(knownGpus().back().nominal, 80);
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
