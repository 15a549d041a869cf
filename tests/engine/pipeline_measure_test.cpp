#include "engine/model/folder.h"
#include "engine/pipeline/hash_cache.h"
#include "engine/pipeline/report.h"
#include "tests/real_memory.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <vector>

using namespace quantspot::pipeline;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

void touch(std::size_t bytes) {
  const std::vector<char> block(bytes, 1);
  volatile char seen = block[bytes / 2];
  (void)seen;
}

}  // namespace

class MeasureTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aPeakIsThatOfItsPhase() {
    SKIP_UNDER_SANITIZER();
    PeakMemory memory;
    memory.reset();
    const std::int64_t before = residentBytes();
    touch(200 * kMiB);
    QVERIFY(memory.peak() - before > 190 * kMiB);
    memory.reset();
    touch(20 * kMiB);
    QVERIFY2(memory.peak() - before < 100 * kMiB, qPrintable(QString::number(memory.peak() - before)));
  }

  void phasesAddTheirTimesAndKeepTheirHighestPeak() {
    Meter meter;
    QCOMPARE(meter.phase("load", "load", [] { touch(150 * kMiB); return 5; }), 5);
    const std::int64_t high = meter.peaks()["load"];
    meter.phase("load", "load", [] { QTest::qSleep(30); });
    QCOMPARE(meter.peaks()["load"].get<std::int64_t>(), high);
    QVERIFY(meter.seconds()["load"].get<double>() >= 0.03);
    const double all = meter.seconds()["load"];
    meter.move("load", "quantize", 0.02);
    QCOMPARE(meter.seconds()["quantize"].get<double>(), 0.02);
    QCOMPARE(meter.seconds()["load"].get<double>(), all - 0.02);
  }

  void aPhaseThatThrowsIsMeasuredToo() {
    Meter meter;
    QVERIFY_EXCEPTION_THROWN(meter.phase("load", "load", [] { throw std::runtime_error("x"); }), std::runtime_error);
    QVERIFY(meter.seconds().contains("load"));
  }

  void aHashIsComputedOncePerStateOfTheFiles() {
    QTemporaryDir folder;
    std::filesystem::copy(QUANTSPOT_SOURCE_DIR "/resources/default_model", folder.filePath("model").toStdString(), std::filesystem::copy_options::recursive);
    const std::filesystem::path model = folder.filePath("model").toStdString(), cache = folder.filePath("cache/weights.json").toStdString();
    const std::string hash = HashCache(cache).weightsHash(model);
    QCOMPARE(hash, quantspot::model::weightsHash(model));
    // What another process finds in the file is believed, so it is the file that is read:
    QFile stored(QString::fromStdString(cache.string()));
    QVERIFY(stored.open(QIODevice::ReadOnly));
    QVERIFY(stored.readAll().contains(hash.c_str()));
    // and a changed weight file is hashed again.
    QFile weights(folder.filePath("model/vae/diffusion_pytorch_model.safetensors"));
    QVERIFY(weights.open(QIODevice::ReadWrite));
    QVERIFY(weights.seek(weights.size() - 1));
    QVERIFY(weights.write("!") == 1);
    weights.close();
    QVERIFY(HashCache(cache).weightsHash(model) != hash);
  }

  void aCacheThatCannotBeWrittenDoesNotMatter() {
    const std::filesystem::path model = QUANTSPOT_SOURCE_DIR "/resources/default_model";
    QCOMPARE(HashCache("/proc/nowhere/weights.json").weightsHash(model), quantspot::model::weightsHash(model));
  }
};

QTEST_APPLESS_MAIN(MeasureTest)
#include "pipeline_measure_test.moc"
