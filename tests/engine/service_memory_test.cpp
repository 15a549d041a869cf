// Nothing of a variant stays: after 20 comparisons the engine is as small as after the second, and as small after a variant of
// 40 MiB as after one of 6.
#include "tests/engine/engine_process.h"
#include "tests/engine/process_memory.h"
#include "tests/real_memory.h"

#include <QTest>

using nlohmann::json;

class MemoryTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void memoryComesBackToTheFloor() {
    SKIP_UNDER_SANITIZER();
    quantspot::test::EngineProcess engine;
    std::vector<std::int64_t> floors;
    std::int64_t lowest = INT64_MAX, highest = 0;   // after any variant of the last ten
    for (int comparison = 0; comparison < 20; ++comparison) {
      for (const char* precision : {"fp32", "bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"}) {
        engine.call("samples/generate", {{"model", "default"}, {"precision", precision},
                                         {"recipe", {{"prompt", "a fox " + std::to_string(comparison)}, {"seed", comparison}, {"steps", 1},
                                                     {"width", 64}, {"height", 64}, {"max_sequence_length", 64}}}});
        const std::int64_t now = quantspot::test::residentBytes(engine.process().processId());
        if (comparison >= 10) lowest = std::min(lowest, now), highest = std::max(highest, now);
      }
      floors.push_back(quantspot::test::residentBytes(engine.process().processId()));
    }
    // The first comparisons bring in libraries, threads and their caches.
    const std::int64_t grown = floors.back() - floors[1];
    QString all;
    for (const std::int64_t floor : floors) all += QString::number(floor >> 20) + " ";
    qInfo() << "MiB between variants:" << ((highest - lowest) >> 20);
    qInfo().noquote() << "MiB after each comparison:" << all;
    // One leaked bf16 transformer would be 20 MiB each time.
    QVERIFY2(grown < 24 << 20, qPrintable(all));
    QVERIFY2(highest - lowest < 16 << 20, qPrintable(QString::number((highest - lowest) >> 20)));
  }
};

QTEST_GUILESS_MAIN(MemoryTest)
#include "service_memory_test.moc"
