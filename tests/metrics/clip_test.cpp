// Pixels and vision features against Pillow and transformers.
#include "metrics/clip_preprocess.h"
#include "metrics/clip_vision.h"
#include "tests/metrics/formulas.h"
#include "tests/metrics/golden.h"

#include <QTest>

#include <ATen/ATen.h>

#include <numeric>

using namespace quantspot;

class ClipTest : public QObject {
  Q_OBJECT
  const test::MetricsGolden golden_;

  metrics::ClipPreprocessing options(const std::string& name) const {
    const int size = golden_.numbers["clip"][name]["image_size"];
    return {.shortestEdge = size, .crop = size};
  }

 private Q_SLOTS:
  void models_data() {
    QTest::addColumn<QString>("model");
    QTest::newRow("tiny") << "clip.tiny";
    QTest::newRow("default") << "clip.default";
  }

  void resizingAndCroppingAreThoseOfPillow_data() { models_data(); }
  void resizingAndCroppingAreThoseOfPillow() {
    QFETCH(QString, model);
    const std::string name = model.toStdString();
    const auto size = options(name).crop;
    for (const char* picture : {"0", "1", "2"}) {
      const metrics::Image image = golden_.image(std::string("clip.image_") + picture);
      const bool wide = image.width >= image.height;
      const int other = size * std::max(image.width, image.height) / std::min(image.width, image.height);
      const metrics::Image crop = metrics::centerCrop(metrics::resize(image, wide ? other : size, wide ? size : other), size);
      const metrics::Image rows = golden_.image(name + ".crop_rows_" + picture);
      for (int row = 0; row < rows.height; ++row) {
        const auto* mine = crop.pixels.data() + static_cast<std::ptrdiff_t>(row) * (size / 16) * 3 * size;
        const auto* theirs = rows.pixels.data() + static_cast<std::ptrdiff_t>(row) * 3 * size;
        QVERIFY2(std::equal(theirs, theirs + 3 * size, mine), picture);
      }
    }
  }

  void pixelsAreNormalizedAsInTransformers_data() { models_data(); }
  void pixelsAreNormalizedAsInTransformers() {
    QFETCH(QString, model);
    const auto p = options(model.toStdString());
    const at::Tensor pixels = metrics::clipPixels(golden_.image("clip.image_0"), p)[0].slice(1, 0, p.crop, p.crop / 8);
    const at::Tensor expected = golden_.tensor(model.toStdString() + ".pixel_rows_0");
    QVERIFY2((pixels - expected).abs().max().item<float>() < 1e-6f, qPrintable(QString::number((pixels - expected).abs().max().item<float>())));
  }

  void aFoldersOwnPreprocessingIsFollowed() {
    const metrics::ClipPreprocessing options{.shortestEdge = 48, .crop = 42, .filter = metrics::Resample::Bilinear, .mean = {0.5, 0.4, 0.45},
                                             .deviation = {0.25, 0.3, 0.28}};
    const model::SafeTensors file(test::kScores / "scores.safetensors");
    const at::Tensor expected = file.copy(file.entries().at("clip.pixel_rows"));
    const metrics::Image images[] = {test::texture(61, 50, 40), test::texture(45, 80, 41), test::texture(42, 42, 42)};
    for (std::int64_t i = 0; i < 3; ++i) {
      const at::Tensor got = metrics::clipPixels(images[i], options)[0].slice(1, 0, 42, 6);
      QVERIFY2((got - expected[i]).abs().max().item<float>() < 1e-6f, qPrintable(QString::number((got - expected[i]).abs().max().item<float>())));
    }
  }

  void featuresOfARandomTowerAreThoseOfTransformers() {
    const std::filesystem::path folder = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/metrics/clip";
    const auto config = nlohmann::json::parse(std::ifstream(folder / "config.json"));
    const model::SafeTensors file(folder / "model.safetensors");
    const auto& v = config["vision_config"];
    const metrics::ClipVisionConfig shape{.hidden = v["hidden_size"], .intermediate = v["intermediate_size"], .layers = v["num_hidden_layers"],
                                          .heads = v["num_attention_heads"], .imageSize = v["image_size"], .patch = v["patch_size"],
                                          .eps = v["layer_norm_eps"], .quickGelu = v["hidden_act"] == "quick_gelu"};
    const metrics::ClipVision vision(shape, config["projection_dim"], [&](const std::string& name, const auto&) { return file.copy(file.entries().at(name)); });
    const at::Tensor expected = golden_.tensor("clip.tiny.image_embeds");
    for (std::int64_t i = 0; i < 3; ++i) {
      const at::Tensor got = vision.features(metrics::clipPixels(golden_.image("clip.image_" + std::to_string(i)), options("clip.tiny")))[0];
      QVERIFY2((got - expected[i]).abs().max().item<float>() < 2e-6f, qPrintable(QString::number((got - expected[i]).abs().max().item<float>())));
    }
  }

  void cropsBeyondThePictureAreBlack() {
    const metrics::Image image{2, 2, std::vector<std::uint8_t>(12, 200)};
    const metrics::Image crop = metrics::centerCrop(image, 4);
    QCOMPARE(std::accumulate(crop.pixels.begin(), crop.pixels.end(), 0), 12 * 200);
    QCOMPARE(int(crop.pixels[0]), 0);
  }
};

QTEST_APPLESS_MAIN(ClipTest)
#include "clip_test.moc"
