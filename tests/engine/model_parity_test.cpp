// The models against what diffusers computed, on the golden pipelines.
#include "quant/cpu_features.h"
#include "tests/engine/model_golden.h"

#include <c10/core/InferenceMode.h>
#include <QTest>

#include <numeric>

using namespace quantspot::model;
using namespace quantspot::model::test;

namespace {

void addCases() {
  QTest::addColumn<QString>("name");
  for (const char* name : {"flux_a", "flux_b", "flux_c"}) QTest::newRow(name) << name;
}

// Loads all parts and tells how often onLayer was called, and the total that each part announced.
struct Progress {
  std::size_t calls = 0, last = 0, total = 0;
};

}  // namespace

class ModelParityTest : public QObject {
  Q_OBJECT
  c10::InferenceMode guard_;

 private Q_SLOTS:
  void promptEmbeddings_data() { addCases(); }
  void promptEmbeddings() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    const auto encoders = loadTextEncoders(golden.pipeline(), {});
    const auto got = encoders->encode(golden.recipe["prompts"].get<std::vector<std::string>>(), {.maxSequenceLength = golden.recipe["max_sequence_length"]});
    QVERIFY2(relativeError(got.condition.at("pooled"), golden["pooled"]) < 1e-5, shown(relativeError(got.condition.at("pooled"), golden["pooled"])));
    QVERIFY2(relativeError(got.condition.at("sequence"), golden["prompt_embeds"]) < 1e-5, shown(relativeError(got.condition.at("sequence"), golden["prompt_embeds"])));
  }

  void sigmas_data() { addCases(); }
  void sigmas() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    const auto scheduler = loadScheduler(golden.pipeline());
    scheduler->setTimesteps(golden.recipe["steps"], golden["noise_packed"].size(1));
    QVERIFY(scheduler->sigmas().equal(golden["sigmas"]));
    QVERIFY(at::tensor(scheduler->timesteps()).equal(golden["timesteps"].to(at::kDouble)));
  }

  void imageInFp32_data() { addCases(); }
  void imageInFp32() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    const Rendered got = render(golden, {});
    QVERIFY2(relativeError(got.firstVelocity, golden["velocity_0"]) < 1e-5, shown(relativeError(got.firstVelocity, golden["velocity_0"])));
    QVERIFY2(relativeError(got.latents, golden["latents"]) < 1e-4, shown(relativeError(got.latents, golden["latents"])));
    const auto difference = (toRgb(got.image).to(at::kInt) - golden["image_u8"].to(at::kInt)).abs().max().item<int>();
    QVERIFY2(difference <= 1, QByteArray::number(difference));
  }

  // bf16 rounds after every operation, so that two right implementations differ about as much as bf16 differs from fp32
  // on these random weights. With bf16 instructions the operations are the reference's own.
  void imageInBf16_data() { addCases(); }
  void imageInBf16() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    LoadOptions options;
    options.compute = at::kBFloat16;
    const Rendered got = render(golden, options);
    const double own = golden.recipe["bf16_relative_error"];
    const double error = relativeError(got.latents, golden["bf16_latents"]), toFp32 = relativeError(got.latents, golden["latents"]);
    qInfo("bf16 latents: %.4f from the reference's bf16, %.4f from its fp32 (its own distance %.4f)", error, toFp32, own);
    QCOMPARE(got.latents.scalar_type(), at::kBFloat16);
    QVERIFY2(toFp32 < 1.5 * own, shown(toFp32));
    QVERIFY2(error < own, shown(error));
  }

  // Every byte that rests is in the ledger once, and progress counts up to the announced total.
  void ledgerAndProgress_data() { addCases(); }
  void ledgerAndProgress() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    Progress progress;
    LoadOptions options;
    options.onLayer = [&](std::size_t done, std::size_t total) {
      QCOMPARE(done, progress.last + 1);
      progress = {progress.calls + 1, done, total};
    };
    const auto encoders = loadTextEncoders(golden.pipeline(), options);
    QCOMPARE(progress.last, progress.total);
    progress = {};
    const auto transformer = loadDenoiser(golden.pipeline(), options);
    QCOMPARE(progress.last, progress.total);
    const auto sum = [](const std::vector<LayerInfo>& layers) {
      return std::accumulate(layers.begin(), layers.end(), std::int64_t{0}, [](auto all, const LayerInfo& l) { return all + l.bytes; });
    };
    QCOMPARE(sum(encoders->layers()), encoders->bytes());
    QCOMPARE(sum(transformer->layers()), transformer->bytes());
    LoadOptions half = options;
    half.compute = at::kBFloat16;
    progress = {};
    QCOMPARE(2 * loadDenoiser(golden.pipeline(), half)->bytes(), transformer->bytes());
  }

  void aFactoryMakesEveryLinear() {
    const Golden golden("flux_a");
    std::vector<std::string> names;
    LoadOptions options;
    options.linear = [&](const LayerWeight& weight, std::optional<at::Tensor> bias) {
      names.push_back(weight.name);
      const auto& q = quantspot::quant::quantizer("bf16");
      return q.linear(q.pack(weight.read()), std::move(bias));
    };
    options.compute = at::kBFloat16;
    const auto transformer = loadDenoiser(golden.pipeline(), options);
    QVERIFY(std::find(names.begin(), names.end(), "transformer_blocks.0.attn.to_q") != names.end());
    QVERIFY(std::find(names.begin(), names.end(), "proj_out") != names.end());
  }
};

QTEST_GUILESS_MAIN(ModelParityTest)
#include "model_parity_test.moc"
