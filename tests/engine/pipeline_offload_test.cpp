// Layers that come and go: the same pictures, and no more of them in memory than is said.
#include "engine/pipeline/memory.h"
#include "engine/pipeline/offload.h"
#include "engine/pipeline/sampler.h"
#include "engine/pipeline/transfer.h"
#include "quant/plain.h"
#include "tests/real_memory.h"

#include <QTemporaryDir>
#include <QTest>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <atomic>
#include <set>

using namespace quantspot;
using pipeline::LayerStream;
using pipeline::Offload;

namespace {

// Adds one, and counts itself while it lives.
class Counted final : public quant::Linear {
 public:
  Counted(std::atomic<int>& alive, std::atomic<int>& most) : alive_(alive) {
    const int now = ++alive_;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
  }
  ~Counted() override { --alive_; }
  at::Tensor forward(const at::Tensor& x) const override { return x + 1; }
  std::string_view precision() const override { return "bf16"; }
  std::int64_t bytes() const override { return 8; }
  std::int64_t inFeatures() const override { return 2; }
  std::int64_t outFeatures() const override { return 2; }

 private:
  std::atomic<int>& alive_;
};

std::string imageOf(const std::filesystem::path& cache, const std::string& policy, Offload offload, std::int64_t* bytes = nullptr) {
  pipeline::Sampler sampler;
  pipeline::SampleRequest request;
  request.model = QUANTSPOT_SOURCE_DIR "/resources/default_model";
  request.policy = quant::parsePolicy(policy);
  request.recipe.prompt = "a fox on a yellow background";
  request.recipe.steps = 2;
  request.offload = offload;
  request.packedCache = {cache, std::int64_t{1} << 30};
  const nlohmann::json report = sampler.generate(request).report;
  if (bytes) *bytes = report["weights"]["transformer"]["bytes"];
  return report["image_sha256"];
}

}  // namespace

class OffloadTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void picturesAreTheSame_data() {
    QTest::addColumn<QString>("policy");
    for (const char* policy : {"fp32", "bf16", "bnb-nf4", "bnb-int8", "gguf-q4_k", "quanto-int8a8", "bnb-nf4?vae=quanto-int8&text_encoder=bnb-nf4"})
      QTest::newRow(policy) << policy;
  }
  void picturesAreTheSame() {
    QFETCH(QString, policy);
    const QTemporaryDir folder;
    const std::filesystem::path cache = folder.path().toStdString();
    std::int64_t bytes = 0, streamed = 0;
    const std::string whole = imageOf(cache, policy.toStdString(), Offload::None, &bytes);
    for (const Offload mode : {Offload::Sequential, Offload::Group, Offload::Model}) {
      QCOMPARE(imageOf(cache, policy.toStdString(), mode, &streamed), whole);
      QCOMPARE(streamed, bytes);
    }
    // From a cache that is only being written, and without any.
    QCOMPARE(imageOf(cache / "new", policy.toStdString(), Offload::Sequential), whole);
    QCOMPARE(imageOf({}, policy.toStdString(), Offload::Sequential), whole);
  }

  void oneLayerAtATime() {
    run(Offload::Sequential);
    QCOMPARE(most_.load(), 1);
    QCOMPARE(made_.load(), 2 * kBlocks * kLayers);   // twice through
  }

  void oneBlockAndTheNext() {
    run(Offload::Group);
    QVERIFY2(most_ > kLayers && most_ <= 2 * kLayers, qPrintable(QString::number(most_)));
    QVERIFY(made_ >= 2 * kBlocks * kLayers);
  }

  void whatFailsAheadFailsWhereItIsNeeded() {
    LayerStream stream(Offload::Group);
    const auto add = [&](const char* name, std::function<std::unique_ptr<quant::Linear>()> load) {
      return stream.linear(name, "bf16", {2, 2}, 8, {std::move(load)});
    };
    const auto good = add("a.0.x", [&] { return std::make_unique<Counted>(alive_, most_); });
    const auto bad = add("a.1.x", []() -> std::unique_ptr<quant::Linear> { throw std::runtime_error("the disk is gone"); });
    QVERIFY(good->forward(at::zeros({2})).sum().item<float>() == 2);
    QVERIFY_EXCEPTION_THROWN(bad->forward(at::zeros({2})), std::runtime_error);
    QVERIFY(good->forward(at::zeros({2})).sum().item<float>() == 2);
  }

  // As on a device that is lost: an error like any other, not the end of the program.
  void whatFailsWhenALayerGoesIsThrown() {
    struct Lost final : pipeline::Transfer {
      explicit Lost(const pipeline::Groups& all) : groups(all) {}
      void start(std::size_t) override {}
      void wait(std::size_t group) override { groups[group].slots[0]->fetch(); }
      void release(std::size_t) override { throw std::runtime_error("the device is lost"); }
      void announce(std::size_t) override {}
      const pipeline::Groups& groups;
    };
    LayerStream stream(Offload::Sequential, [](const pipeline::Groups& groups) { return std::make_unique<Lost>(groups); });
    const auto layer = stream.linear("a", "bf16", {2, 2}, 8, {[this] { return std::make_unique<Counted>(alive_, most_); }});
    QVERIFY_EXCEPTION_THROWN(layer->forward(at::zeros({2})), std::runtime_error);
  }

  void memoryHoldsOneLayer() {
    SKIP_UNDER_SANITIZER();
    constexpr std::int64_t layers = 6, size = 4096, bytes = 4 * size * size;   // 64 MiB each
    LayerStream stream(Offload::Sequential);
    std::vector<std::unique_ptr<quant::Linear>> all;
    const auto& plain = quant::quantizer("fp32");
    for (std::int64_t i = 0; i < layers; ++i)
      all.push_back(stream.linear(std::to_string(i), "fp32", {size, size}, bytes,
                                  {[&] { return plain.linear(plain.pack(at::ones({size, size})), {}); }}));
    const c10::InferenceMode inference;
    at::Tensor x = at::ones({1, size});
    x = all.front()->forward(x);
    pipeline::PeakMemory memory;
    pipeline::trimHeap();
    const std::int64_t before = pipeline::residentBytes();
    memory.reset();
    for (const auto& layer : all) x = layer->forward(x) / size;
    QVERIFY2(memory.peak() - before < 2 * bytes, qPrintable(QString::number((memory.peak() - before) >> 20)));
  }

  void modesAreNamed() {
    QCOMPARE(pipeline::parseOffload("group"), Offload::Group);
    QVERIFY_EXCEPTION_THROWN(pipeline::parseOffload("disk"), std::invalid_argument);
    QCOMPARE(pipeline::blockOf("transformer_blocks.3.attn.to_q"), std::string("transformer_blocks.3"));
    QCOMPARE(pipeline::blockOf("text_encoder_2.encoder.block.3.layer.0.SelfAttention.q"), std::string("text_encoder_2.encoder.block.3"));
    QCOMPARE(pipeline::blockOf("up_blocks.0.attentions.1.transformer_blocks.3.attn1.to_out.0"),
             std::string("up_blocks.0.attentions.1.transformer_blocks.3"));
    QCOMPARE(pipeline::blockOf("vae.decoder.up_blocks.2.resnets.1.conv1"), std::string("vae.decoder.up_blocks.2.resnets.1"));
    QCOMPARE(pipeline::blockOf("down_blocks.1.attentions.0.proj_in"), std::string("down_blocks.1"));
    QCOMPARE(pipeline::blockOf("time_text_embed.timestep_embedder.linear_1"), std::string("time_text_embed.timestep_embedder.linear_1"));
  }

 private:
  static constexpr int kBlocks = 5, kLayers = 3;

  void run(Offload mode) {
    alive_ = most_ = made_ = 0;
    std::vector<std::unique_ptr<quant::Linear>> all;
    {
      LayerStream stream(mode);
      for (int block = 0; block < kBlocks; ++block)
        for (int layer = 0; layer < kLayers; ++layer)
          all.push_back(stream.linear("blocks." + std::to_string(block) + "." + std::to_string(layer), "bf16", {2, 2}, 8, {[this] {
            ++made_;
            return std::make_unique<Counted>(alive_, most_);
          }}));
    }
    QCOMPARE(made_.load(), 0);
    at::Tensor x = at::zeros({2});
    for (int round = 0; round < 2; ++round)
      for (const auto& layer : all) {
        x = layer->forward(x);
        QTest::qSleep(5);                // time for the next block to come
      }
    QCOMPARE(x[0].item<float>(), 2.0f * kBlocks * kLayers);
  }

  std::atomic<int> alive_ = 0, most_ = 0, made_ = 0;
};

QTEST_GUILESS_MAIN(OffloadTest)
#include "pipeline_offload_test.moc"
