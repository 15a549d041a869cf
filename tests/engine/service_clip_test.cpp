// The joined CLIP score, text and picture, against transformers.
#include "engine/service/clip_scorer.h"
#include "tests/metrics/formulas.h"
#include "tests/metrics/golden.h"

#include <QCryptographicHash>
#include <QFile>
#include <QTest>

#include <algorithm>

using namespace quantspot;

class ClipScoreTest : public QObject {
  Q_OBJECT
  const test::MetricsGolden golden_;

 private Q_SLOTS:
  void scoresAreThoseOfTransformers_data() {
    QTest::addColumn<QString>("model");
    QTest::newRow("tiny") << "clip.tiny";
    QTest::newRow("default") << "clip.default";
  }
  void scoresAreThoseOfTransformers() {
    QFETCH(QString, model);
    const auto& c = golden_.numbers["clip"][model.toStdString()];
    const std::filesystem::path folder = std::filesystem::path(QUANTSPOT_SOURCE_DIR) / c["folder"].get<std::string>();
    if (fileHash(folder) != c["sha256"].get<std::string>()) QSKIP("the golden scores belong to other weights");
    const service::ClipScorer scorer(folder);
    for (std::size_t i = 0; i < c["score"].size(); ++i)
      for (std::size_t k = 0; k < c["captions"].size(); ++k) {
        const double score = std::max(0.0, scorer.score(golden_.image("clip.image_" + std::to_string(i)), c["captions"][k]));
        const double expected = c["score"][i][k];
        QVERIFY2(std::abs(score - expected) < 1e-3, qPrintable(QString("%1 %2: %3 against %4").arg(i).arg(k).arg(score).arg(expected)));
      }
  }

  // Other activations and sizes, a preprocessor_config.json that resizes by another filter to more than it keeps.
  void anotherModelsVectorsAreThoseOfTransformers() {
    const model::SafeTensors file(test::kScores / "scores.safetensors");
    const auto golden = [&](const char* name) { return file.copy(file.entries().at(name)); };
    const service::ClipScorer scorer(test::kScores / "clip");
    const at::Tensor images = golden("clip.image_embeds"), texts = golden("clip.text_embeds");
    const metrics::Image pictures[] = {test::texture(61, 50, 40), test::texture(45, 80, 41), test::texture(42, 42, 42)};
    for (std::int64_t i = 0; i < 3; ++i)
      QVERIFY((scorer.imageFeatures(pictures[i])[0] - images[i]).norm().item<double>() < 1e-5);
    const char* prompts[] = {"a fox on a yellow background", ""};
    for (std::int64_t k = 0; k < 2; ++k) {
      QVERIFY((scorer.textFeatures(prompts[k])[0] - texts[k]).norm().item<double>() < 1e-5);
      QVERIFY(test::near(scorer.score(pictures[0], prompts[k]), 100 * images[0].dot(texts[k]).item<double>(), 1e-4));
    }
    QVERIFY(test::near(scorer.similarity(pictures[0], pictures[1]), 100 * images[0].dot(images[1]).item<double>(), 1e-4));
    QVERIFY(test::near(scorer.similarity(pictures[2], pictures[2]), 100, 1e-6));
    QCOMPARE(scorer.imageSize(), std::int64_t{42});
  }

 private:
  static std::string fileHash(const std::filesystem::path& folder) {
    QFile file(QString::fromStdString((folder / "model.safetensors").string()));
    QCryptographicHash hash(QCryptographicHash::Sha256);
    return file.open(QIODevice::ReadOnly) && hash.addData(&file) ? hash.result().toHex().toStdString() : "";
  }
};

QTEST_APPLESS_MAIN(ClipScoreTest)
#include "service_clip_test.moc"
