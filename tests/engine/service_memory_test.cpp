// Each variant is freed before the next is loaded: after 20 comparisons the engine is as small as after the second.
#include "tests/engine/engine_process.h"

#include <QFile>
#include <QTest>

using nlohmann::json;

namespace {

std::int64_t residentBytes(qint64 process) {
  QFile status(QStringLiteral("/proc/%1/status").arg(process));
  if (!status.open(QIODevice::ReadOnly)) return 0;
  for (const QByteArray& line : status.readAll().split('\n'))
    if (line.startsWith("VmRSS:")) return line.simplified().split(' ')[1].toLongLong() * 1024;
  return 0;
}

}  // namespace

class MemoryTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void memoryComesBackToTheFloor() {
    quantspot::test::EngineProcess engine;
    std::vector<std::int64_t> floors;
    for (int comparison = 0; comparison < 20; ++comparison) {
      for (const char* precision : {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"})
        engine.call("samples/generate", {{"model", "default"}, {"precision", precision},
                                         {"recipe", {{"prompt", "a fox " + std::to_string(comparison)}, {"seed", comparison}, {"steps", 1},
                                                     {"width", 64}, {"height", 64}, {"max_sequence_length", 64}}}});
      floors.push_back(residentBytes(engine.process().processId()));
    }
    // The first comparisons bring in libraries, threads and their caches.
    const std::int64_t grown = floors.back() - floors[1];
    QString all;
    for (const std::int64_t floor : floors) all += QString::number(floor >> 20) + " ";
    qInfo().noquote() << "MiB after each comparison:" << all;
    // One leaked bf16 transformer would be 20 MiB each time.
    QVERIFY2(grown < 24 << 20, qPrintable(all));
  }
};

QTEST_GUILESS_MAIN(MemoryTest)
#include "service_memory_test.moc"
