// Whole pipelines against diffusers (tests/parity/README.md), through the sampler: prompt to 8-bit picture.
#include "engine/model/folder.h"
#include "engine/model/safetensors.h"
#include "engine/pipeline/latents.h"
#include "tests/engine/print_json.h"

#include <QTest>

#include <ATen/ATen.h>

#include <fstream>

using namespace quantspot;
using nlohmann::json;

namespace {

std::filesystem::path golden(const QString& name) { return std::filesystem::path(QUANTSPOT_SOURCE_DIR "/tests/parity/golden") / name.toStdString(); }

protocol::Recipe recipeOf(const json& c, std::size_t picture) {
  json recipe = c;
  recipe["prompt"] = c["prompts"][picture];
  return recipe.get<protocol::Recipe>();
}

}  // namespace

class GoldenTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void picturesAreThoseOfDiffusers_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "flux_b", "flux_c"}) QTest::newRow(name) << name;
  }
  void picturesAreThoseOfDiffusers() {
    QFETCH(QString, name);
    const json c = json::parse(std::ifstream(golden(name) / "case.json"));
    const model::SafeTensors file(golden(name) / "expected.safetensors");
    const auto expected = [&](const char* key) { return file.copy(file.entries().at(key)); };
    const at::Tensor noise = expected("noise"), latents = expected("latents"), pictures = expected("image_u8");
    pipeline::Sampler sampler;
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      pipeline::SampleRequest request{.model = golden(name) / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipeOf(c, static_cast<std::size_t>(i)),
                                      .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr};
      if (pictures.size(0) > 1) request.noise = noise.slice(0, i, i + 1);   // a batch draws its noise at once
      const pipeline::Sample sample = sampler.generate(request);
      const at::Tensor wanted = latents.slice(0, i, i + 1);
      const double error = ((sample.latents - wanted).norm() / wanted.norm()).item<double>();
      QVERIFY2(error < 1e-4, qPrintable(QString::number(error)));
      const at::Tensor got = at::from_blob(const_cast<std::uint8_t*>(sample.image.pixels.data()), pictures[i].sizes(), at::kByte);
      const int off = (got.to(at::kInt) - pictures[i].to(at::kInt)).abs().max().item<int>();
      QVERIFY2(off <= 1, qPrintable(QString::number(off)));
      QCOMPARE(sample.report["noise_sha256"].get<std::string>(), pipeline::hashFloats(noise.slice(0, i, i + 1)));
      QCOMPARE(sample.report["recipe"]["guidance"].is_null(), name != "flux_b");
    }
  }

  void aBatchIsThatOfDiffusers() {
    const json c = json::parse(std::ifstream(golden("flux_b") / "case.json"));
    const model::SafeTensors file(golden("flux_b") / "expected.safetensors");
    const auto expected = [&](const char* key) { return file.copy(file.entries().at(key)); };
    const at::Tensor latents = expected("latents"), pictures = expected("image_u8"), noise = expected("noise");
    pipeline::Sampler sampler;
    pipeline::SampleRequest request{.model = golden("flux_b") / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipeOf(c, 0), .more = {recipeOf(c, 1)},
                                    .device = "cpu", .noise = expected("noise_packed"), .progress = {}, .cancel = nullptr};
    const std::vector<pipeline::Sample> samples = sampler.generateBatch(request);
    QCOMPARE(samples.size(), std::size_t{2});
    for (std::int64_t i = 0; i < 2; ++i) {
      const pipeline::Sample& sample = samples[static_cast<std::size_t>(i)];
      const at::Tensor wanted = latents.slice(0, i, i + 1);
      QVERIFY(((sample.latents - wanted).norm() / wanted.norm()).item<double>() < 1e-4);
      const at::Tensor got = at::from_blob(const_cast<std::uint8_t*>(sample.image.pixels.data()), pictures[i].sizes(), at::kByte);
      QVERIFY((got.to(at::kInt) - pictures[i].to(at::kInt)).abs().max().item<int>() <= 1);
      QCOMPARE(sample.report["noise_sha256"].get<std::string>(), pipeline::hashFloats(noise.slice(0, i, i + 1)));
      QCOMPARE(test::text(sample.report["recipe"]["prompt"]), test::text(c["prompts"][static_cast<std::size_t>(i)]));
      QCOMPARE(sample.report["batch"].get<int>(), 2);
    }
    request.noise = noise.slice(0, 0, 1);
    QVERIFY_EXCEPTION_THROWN(sampler.generateBatch(request), model::ModelError);   // one noise for two pictures
  }

  // With true CFG (flux_c), and whatever the sampler has kept from the passes before.
  void picturesOfABatchAreThoseOfSingleRuns_data() {
    QTest::addColumn<QString>("precision");
    for (const char* id : {"fp32", "bnb-nf4"}) QTest::newRow(id) << id;
  }
  void picturesOfABatchAreThoseOfSingleRuns() {
    QFETCH(QString, precision);
    const json c = json::parse(std::ifstream(golden("flux_c") / "case.json"));
    pipeline::SampleRequest request{.model = golden("flux_c") / "pipeline", .policy = quant::parsePolicy(precision.toStdString()), .recipe = recipeOf(c, 0), .device = "cpu",
                                    .noise = {}, .progress = {}, .cancel = nullptr};
    protocol::Recipe second = request.recipe, third = request.recipe;
    second.seed = 5;
    third.prompt = "one pizza";
    request.more = {second, third};
    pipeline::Sampler sampler;
    const std::vector<pipeline::Sample> together = sampler.generateBatch(request);
    const std::vector<protocol::Recipe> recipes = {request.recipe, second, third};
    request.more.clear();
    for (std::size_t i = 0; i < recipes.size(); ++i) {
      request.recipe = recipes[i];
      const pipeline::Sample alone = sampler.generate(request);
      QCOMPARE(test::text(together[i].report["noise_sha256"]), test::text(alone.report["noise_sha256"]));
      const double error = ((together[i].latents - alone.latents).norm() / alone.latents.norm()).item<double>();
      QVERIFY2(error < (precision == "fp32" ? 1e-5 : 0.02), qPrintable(QString::number(error)));
    }
    QVERIFY(!at::allclose(together[0].latents, together[1].latents, 0.1) && !at::allclose(together[0].latents, together[2].latents, 0.1));
  }

  // Equal bit for bit on a CPU with bf16 instructions. Elsewhere sums round elsewhere and random weights blow that up: up to what bf16
  // itself costs is allowed.
  void bf16LatentsAreThoseOfDiffusers_data() { picturesAreThoseOfDiffusers_data(); }
  void bf16LatentsAreThoseOfDiffusers() {
    QFETCH(QString, name);
    const json c = json::parse(std::ifstream(golden(name) / "case.json"));
    const model::SafeTensors file(golden(name) / "expected.safetensors");
    const auto expected = [&](const char* key) { return file.copy(file.entries().at(key)); };
    const at::Tensor noise = expected("noise_packed"), latents = expected("bf16_latents").to(at::kFloat);
    pipeline::Sampler sampler;
    for (std::int64_t i = 0; i < noise.size(0); ++i) {
      pipeline::SampleRequest request{.model = golden(name) / "pipeline", .policy = quant::parsePolicy("bf16"), .recipe = recipeOf(c, static_cast<std::size_t>(i)),
                                      .device = "cpu", .noise = noise.slice(0, i, i + 1), .progress = {}, .cancel = nullptr};
      const at::Tensor got = sampler.generate(request).latents, wanted = latents.slice(0, i, i + 1);
      const double error = ((got - wanted).norm() / wanted.norm()).item<double>();
      QVERIFY2(error < c["bf16_relative_error"].get<double>(), qPrintable(QString::number(error)));
    }
  }

  void drawnAndGivenNoiseAreTheSame() {
    const json c = json::parse(std::ifstream(golden("flux_a") / "case.json"));
    pipeline::Sampler sampler;
    pipeline::SampleRequest request{.model = golden("flux_a") / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipeOf(c, 0), .device = "cpu",
                                    .noise = {}, .progress = {}, .cancel = nullptr};
    const pipeline::Sample drawn = sampler.generate(request);
    const model::SafeTensors file(golden("flux_a") / "expected.safetensors");
    request.noise = file.copy(file.entries().at("noise_packed"));
    const pipeline::Sample given = sampler.generate(request);
    QVERIFY(at::equal(drawn.latents, given.latents));
    QCOMPARE(test::text(drawn.report["noise_sha256"]), test::text(given.report["noise_sha256"]));
    QCOMPARE(test::text(drawn.report["noise_sha256"]), test::text(c["noise_sha256"]));
  }

  void latentsThatLeaveTheirRangeNameTheStep() {
    const json c = json::parse(std::ifstream(golden("flux_a") / "case.json"));
    pipeline::Sampler sampler;
    pipeline::SampleRequest request{.model = golden("flux_a") / "pipeline", .policy = quant::parsePolicy("fp32"), .recipe = recipeOf(c, 0), .device = "cpu",
                                    .noise = {}, .progress = {}, .cancel = nullptr};
    const model::SafeTensors file(golden("flux_a") / "expected.safetensors");
    at::Tensor noise = file.copy(file.entries().at("noise"));
    noise.view({-1})[5] = std::numeric_limits<float>::quiet_NaN();
    request.noise = noise;
    try {
      sampler.generate(request);
      QFAIL("a picture of NaN");
    } catch (const model::ModelError& error) {
      QVERIFY2(QString(error.what()).contains("after step 1 of"), error.what());
    }
  }
};

QTEST_APPLESS_MAIN(GoldenTest)
#include "pipeline_golden_test.moc"
