// Image to image of families whose pipelines count steps otherwise than Stable Diffusion's, against diffusers.
#include "tests/engine/pipeline_case.h"

#include <QTest>

using namespace quantspot;
using namespace quantspot::test;

namespace {

// The formula of tests/parity/image_to_image_cases.py.
pipeline::RgbImage picture(int width, int height) {
  pipeline::RgbImage image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>((7 * x + 13 * y + 29 * c + 9 * (x * y % 11)) % 256));
  return image;
}

pipeline::SampleRequest requestOf(const QString& name) {
  const std::filesystem::path folder = std::filesystem::path(QUANTSPOT_SOURCE_DIR "/tests/parity/golden") / name.toStdString();
  nlohmann::json recipe = nlohmann::json::parse(std::ifstream(folder / "case.json"));
  if (recipe.contains("seeds")) recipe["seed"] = recipe["seeds"][0];
  recipe["prompt"] = recipe["prompts"][0];
  recipe["negative_prompt"] = nullptr;
  recipe["steps"] = 7;
  pipeline::SampleRequest request{.model = folder / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipe.get<protocol::Recipe>(),
      .device = "cpu",
                                  .noise = {}, .progress = {}, .cancel = nullptr};
  if (name == "sd_a") request.recipe.scheduler = "heun";
  request.image = picture(request.recipe.width, request.recipe.height);
  return request;
}

}  // namespace

class FromPictureTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void itIsThatOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<double>("strength");
    for (const char* name : {"flux_a", "flux_b", "sd3_a", "sd_a"})
      for (const double strength : {0.6, 0.35}) QTest::addRow("%s %g", name, strength) << name << strength;
  }
  void itIsThatOfDiffusers() {
    QFETCH(QString, name);
    QFETCH(double, strength);
    const model::SafeTensors golden(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/image_to_image/" + name.toStdString() + ".safetensors");
    const auto wanted = [&](const char* key) { return golden.copy(golden.entries().at(std::string(key) + (strength == 0.6 ? "_0.6" : "_0.35"))); };
    pipeline::SampleRequest request = requestOf(name);
    request.recipe.strength = strength;
    pipeline::Sampler sampler;
    const pipeline::Sample sample = sampler.generate(request);
    const double error = relativeError(sample.latents, wanted("latents"));
    QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
    QVERIFY(pixelsOff(sample.image, wanted("image_u8")) <= 1);
    const std::size_t kept = name == "sd_a" ? (strength == 0.6 ? 4 : 2) : strength == 0.6 ? 5 : 3;   // of 7, as diffusers counts them
    QCOMPARE(sample.report["seconds"]["steps"].size(), name == "sd_a" ? 2 * kept - 1 : kept);
    if (strength != 0.6 || name == "sd_a") return;   // sd_a: another default
    request.recipe.strength.reset();     // the pipeline's default
    request.recipe.width = request.recipe.height = 0;                                             // and the picture's own size
    QCOMPARE(sampler.generate(request).image.pixels, sample.image.pixels);
  }

  // The noise is the same as without a picture where the encoder draws nothing, and the one after the encoder's where it does.
  void theNoiseComesAfterWhatTheEncoderDraws() {
    for (const char* name : {"flux_a", "flux_b"}) {
      pipeline::SampleRequest request = requestOf(QString::fromLatin1(name));
      request.recipe.strength = 0.5;
      pipeline::Sampler sampler;
      const auto from = sampler.generate(request).report["noise_sha256"];
      request.image.reset(), request.recipe.strength.reset();
      const auto plain = sampler.generate(request).report["noise_sha256"];
      QCOMPARE(from == plain, std::string(name) == "flux_a");
    }
  }

  void othersSayWhoDoes() {
    for (const char* name : {"pixart_a", "dit_a"}) {
      pipeline::SampleRequest request = requestOf(QString::fromLatin1(name));
      pipeline::Sampler sampler;
      try {
        sampler.generate(request);
        QFAIL("drawn");
      } catch (const std::invalid_argument& error) {
        QVERIFY2(QByteArray(error.what()).contains("does not start from a picture; FLUX"), error.what());
      }
    }
  }
};

QTEST_GUILESS_MAIN(FromPictureTest)
#include "pipeline_from_picture_test.moc"
