#include "engine/model/folder.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/pipeline/memory.h"
#include "engine/pipeline/memory_model.h"
#include "engine/pipeline/sampler.h"
#include "tests/real_memory.h"

#include <QTest>

#include <algorithm>

using namespace quantspot;

namespace {

const std::filesystem::path kModel = QUANTSPOT_SOURCE_DIR "/resources/default_model";

protocol::Recipe recipeOf(int side) {
  protocol::Recipe recipe;
  recipe.prompt = "a fox on a yellow background";
  recipe.steps = 1;
  recipe.width = recipe.height = side;
  return recipe;
}

pipeline::Sample draw(const std::string& precision, int side) {
  pipeline::Sampler sampler;
  return sampler.generate({.model = kModel, .policy = quant::parsePolicy(precision), .recipe = recipeOf(side), .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr});
}

}  // namespace

class AutoTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void weightsAreCountedExactly() {
    const auto need = [](const char* id) { return pipeline::memoryModel(kModel, id, recipeOf(128), 1).inTurn.denoise.weights; };
    const auto bytes = [](const char* id) { return draw(id, 64).report["weights"]["transformer"]["bytes"].get<std::int64_t>(); };
    const std::int64_t reference = bytes("bf16");
    for (const char* id : {"bnb-int8", "bnb-nf4", "gguf-q5_k"}) QCOMPARE(need("bf16") - need(id), reference - bytes(id));
  }

  void activationsAreEstimatedFromAbove_data() {
    QTest::addColumn<int>("side");
    for (const int side : {128, 256, 512}) QTest::newRow(qPrintable(QString::number(side))) << side;
  }
  void activationsAreEstimatedFromAbove() {
    SKIP_UNDER_SANITIZER();
    QFETCH(int, side);
    const nlohmann::json report = draw("bf16", side).report;
    const auto floor = report["floor_bytes"].get<std::int64_t>();
    const pipeline::MemoryNeed need = pipeline::memoryNeed(kModel, "bf16", recipeOf(side), 1);
    const std::int64_t denoise = report["peak_bytes"]["denoise"].get<std::int64_t>() - floor, decode = report["peak_bytes"]["decode"].get<std::int64_t>() - floor;
    qInfo() << "MiB measured and estimated, denoise:" << (denoise >> 20) << (need.denoise >> 20) << "decode:" << (decode >> 20) << (need.decode >> 20);
    const std::int64_t libraries = 64 << 20;   // what a first product brings in
    QVERIFY(denoise < need.denoise + libraries);
    QVERIFY(decode < need.decode + libraries);
    QVERIFY(need.highest() < 4 * (std::max(denoise, decode) + libraries));
  }

  void theHighestThatFitsIsTaken() {
    const std::int64_t own = pipeline::residentBytes();
    const auto choose = [&](double factor) {
      const auto bf16 = pipeline::memoryNeed(kModel, "bf16", recipeOf(128), 1).highest();
      return pipeline::choosePrecision(kModel, recipeOf(128), 1, own + (64 << 20) + static_cast<std::int64_t>(factor * static_cast<double>(bf16)));
    };
    const pipeline::AutoChoice all = choose(4);
    QCOMPARE(all.precision, std::string("bf16"));
    QVERIFY(QString::fromStdString(all.why).contains("it is the highest"));
    QVERIFY(all.needs <= all.limit);
    QVERIFY_EXCEPTION_THROWN(pipeline::choosePrecision(kModel, recipeOf(128), 1, 1 << 20), std::runtime_error);
    QCOMPARE(pipeline::choosePrecision(kModel, recipeOf(128), 1, std::int64_t{1} << 40, 4).precision, pipeline::autoLadder()[4]);
  }

  // Every rung needs less than the one above, so that going down helps.
  void theLadderGoesDown() {
    std::int64_t above = INT64_MAX;
    for (const std::string& id : pipeline::autoLadder()) {
      const std::int64_t need = pipeline::memoryNeed(kModel, id, recipeOf(128), 1).denoise;
      QVERIFY2(need < above, id.c_str());
      above = need;
    }
  }

  void largerPicturesAndBatchesNeedMore() {
    const auto need = [](int side, std::size_t batch) { return pipeline::memoryNeed(kModel, "bf16", recipeOf(side), batch).highest(); };
    QVERIFY(need(256, 1) > need(128, 1) && need(128, 4) > need(128, 1));
  }

  void sizesAreRead_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("bytes");
    QTest::newRow("GiB") << "6GiB" << (qint64{6} << 30);
    QTest::newRow("space") << "1.5 MiB" << qint64{1572864};
    QTest::newRow("decimal") << "500MB" << qint64{500000000};
    QTest::newRow("plain") << "1024" << qint64{1024};
    QTest::newRow("unit") << "6 elephants" << qint64{-1};
    QTest::newRow("negative") << "-1GiB" << qint64{-1};
    QTest::newRow("empty") << "" << qint64{-1};
    QTest::newRow("infinite") << "infGiB" << qint64{-1};
  }
  void sizesAreRead() {
    QFETCH(QString, text);
    QFETCH(qint64, bytes);
    if (bytes < 0) QVERIFY_EXCEPTION_THROWN(pipeline::parseBytes(text.toStdString()), std::invalid_argument);
    else QCOMPARE(static_cast<qint64>(pipeline::parseBytes(text.toStdString())), bytes);
  }
};

QTEST_GUILESS_MAIN(AutoTest)
#include "pipeline_auto_test.moc"
