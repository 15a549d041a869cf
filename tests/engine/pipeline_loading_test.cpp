// How much memory loading takes, beyond what stays.
#include "engine/model/parameters.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/packing.h"
#include "tests/real_memory.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

using namespace quantspot;

namespace {

constexpr std::int64_t kLayers = 3, kOut = 6144, kIn = 1536, kMiB = 1 << 20;

// Bytes of the largest layer in the file, which is in bf16.
constexpr std::int64_t kLargest = 2 * kOut * kIn;

}  // namespace

class LoadingTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    for (std::int64_t i = 0; i < kLayers; ++i) tensors.emplace_back(std::to_string(i) + ".weight", at::randn({kOut, kIn}, at::kBFloat16));
    model::saveSafeTensors(path() / "model.safetensors", tensors);
  }

  // Measured above what is resident before, so that libraries do not count. What a first product or allocation sets up is done before.
  void thePeakIsWhatStaysAndTwoLayers_data() {
    QTest::addColumn<QString>("id");
    for (const auto& known : quant::quantizers()) QTest::newRow(known->name().data()) << QString::fromUtf8(known->name().data());
  }
  void thePeakIsWhatStaysAndTwoLayers() {
    SKIP_UNDER_SANITIZER();
    QFETCH(QString, id);
    const quant::Policy policy = quant::parsePolicy(id.toStdString());
    load(policy, 1);
    pipeline::trimHeap();
    const std::int64_t before = pipeline::residentBytes();
    pipeline::PeakMemory memory;
    memory.reset();
    const std::int64_t stays = load(policy, kLayers), peak = memory.peak() - before;
    qInfo("%s: %.1f MiB stay, peak %.1f MiB above, %.2f of the largest layer", qPrintable(id), stays / double(kMiB), (peak - stays) / double(kMiB), (peak - stays) / double(kLargest));
    QVERIFY2(peak < stays + 2 * kLargest, qPrintable(QString::number((peak - stays) / double(kLargest))));
  }

 private:
  std::filesystem::path path() const { return folder_.path().toStdString(); }

  std::int64_t load(const quant::Policy& policy, std::int64_t layers) const {
    const c10::InferenceMode inference;
    const pipeline::TightHeap tight;
    pipeline::PackingNotes notes;
    model::LoadOptions options;
    options.compute = quant::quantizer(policy.precision).computeType();
    pipeline::packLayers(options, policy, notes);
    model::Parameters parameters(path(), options, static_cast<std::size_t>(layers));
    std::vector<model::Linear> all;
    for (std::int64_t i = 0; i < layers; ++i) all.push_back(parameters.linear(std::to_string(i), kIn, kOut, false));
    return model::totalBytes(parameters.takeLedger());
  }

  QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(LoadingTest)
#include "pipeline_loading_test.moc"
