// The joined CLIP score, text and picture, against transformers.
#include "engine/service/scorer.h"
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

 private:
  static std::string fileHash(const std::filesystem::path& folder) {
    QFile file(QString::fromStdString((folder / "model.safetensors").string()));
    QCryptographicHash hash(QCryptographicHash::Sha256);
    return file.open(QIODevice::ReadOnly) && hash.addData(&file) ? hash.result().toHex().toStdString() : "";
  }
};

QTEST_APPLESS_MAIN(ClipScoreTest)
#include "service_clip_test.moc"
