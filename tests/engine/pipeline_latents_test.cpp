#include "engine/model/flux/flux.h"
#include "engine/model/folder.h"
#include "engine/pipeline/latents.h"

#include <QTest>

#include <ATen/ATen.h>

using namespace quantspot;
using namespace quantspot::pipeline;
using model::imageIds, model::packLatents, model::unpackLatents;

namespace {

at::Tensor drawNoise(std::uint64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return PictureNoise({seed})({1, channels, height, width});
}

// As FLUX packs it.
at::Tensor takeNoise(const at::Tensor& given, at::IntArrayRef shape) { return pipeline::takeNoise(*model::makeFlux(), given, shape); }

}  // namespace

class LatentsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void noiseIsThatOfTorch() {
    // torch.randn((1, 4, 2, 2), generator=torch.Generator().manual_seed(7)).flatten()[:4], and with 2**64 - 1
    const at::Tensor seven = drawNoise(7, 4, 2, 2).flatten(), last = drawNoise(~std::uint64_t{0}, 4, 2, 2).flatten();
    const std::vector<float> expected = {-0x1.a3e8acp-1f, 0x1.952056p-2f, 0x1.cc3dbcp-1f, -0x1.636e7p+0f}, expectedLast = {-0x1.5507b4p+1f, -0x1.174ef6p+0f, 0x1.ce483cp-2f, 0x1.d3aec6p-3f};
    for (std::int64_t i = 0; i < 4; ++i) {
      QCOMPARE(seven[i].item<float>(), expected[static_cast<std::size_t>(i)]);
      QCOMPARE(last[i].item<float>(), expectedLast[static_cast<std::size_t>(i)]);
    }
    QCOMPARE(QString::fromStdString(hashFloats(drawNoise(7, 16, 16, 16))), QStringLiteral("df1f2643101fd18998697a13646d2397d4810f69f30336576c8e5b87043472de"));
  }

  void everyPictureOfABatchDrawsOnItsOwn() {
    PictureNoise both({7, 8}), first({7}), second({8});
    for (int i = 0; i < 3; ++i) QVERIFY(at::equal(both({2, 3, 4, 5}), at::cat({first({1, 3, 4, 5}), second({1, 3, 4, 5})})));
    QVERIFY(!at::equal(first({1, 3, 4, 5}), PictureNoise({7})({1, 3, 4, 5})));   // the numbers go on
  }

  void packingPutsPatchesInRowsAndComesBack() {
    const at::Tensor latents = at::arange(2 * 3 * 4 * 6).to(at::kFloat).view({2, 3, 4, 6});
    const at::Tensor packed = packLatents(latents);
    QCOMPARE(packed.sizes().vec(), (std::vector<std::int64_t>{2, 6, 12}));
    // token 1 of picture 0 holds rows 0 and 1, columns 2 and 3, channel after channel
    QVERIFY(at::equal(packed[0][1], at::tensor({2, 3, 8, 9, 26, 27, 32, 33, 50, 51, 56, 57}, at::kFloat)));
    QVERIFY(at::equal(unpackLatents(packed, 4, 6), latents));
  }

  void idsCountRowsAndColumns() {
    const at::Tensor ids = imageIds(4, 6, at::TensorOptions(at::kFloat));
    QVERIFY(at::equal(ids, at::tensor({0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 1, 0, 1, 2}, at::kFloat).view({6, 3})));
  }

  void givenNoiseIsTakenInBothFormsAndAnyFloat() {
    const at::Tensor noise = drawNoise(3, 4, 4, 6);
    QVERIFY(at::equal(takeNoise(noise, {1, 4, 4, 6}), noise));
    QVERIFY(at::equal(takeNoise(packLatents(noise), {1, 4, 4, 6}), noise));
    const at::Tensor half = packLatents(noise).to(at::kBFloat16);
    QVERIFY(at::equal(takeNoise(half, {1, 4, 4, 6}), noise.to(at::kBFloat16).to(at::kFloat)));
  }

  void givenNoiseMayBeABatch() {
    const at::Tensor batch = at::cat({drawNoise(1, 4, 4, 6), drawNoise(2, 4, 4, 6)});
    QVERIFY(at::equal(takeNoise(packLatents(batch), {2, 4, 4, 6}), batch));
    QVERIFY_EXCEPTION_THROWN(takeNoise(batch, {1, 4, 4, 6}), model::ModelError);
  }

  void noiseOfAnotherShapeIsRefusedWithBothShapes() {
    try {
      takeNoise(at::zeros({1, 5, 16}), {1, 4, 4, 6});
      QFAIL("accepted");
    } catch (const model::ModelError& error) {
      const QString message = error.what();
      QVERIFY2(message.contains("(1, 5, 16)") && message.contains("(1, 6, 16)") && message.contains("(1, 4, 4, 6)"), error.what());
    }
    QVERIFY_EXCEPTION_THROWN(takeNoise(at::zeros({1, 4, 4, 6}, at::kLong), {1, 4, 4, 6}), model::ModelError);
  }

  void pixelsAreRoundedHalfToEvenAndClamped() {
    // (x / 2 + 0.5) · 255 is 0.5, 1.5, 2.5 up to float32; −2 and 2 are cut
    const at::Tensor levels = at::tensor({0.5, 1.5, 2.5, 127.4, -300., 600.}, at::kDouble);
    const at::Tensor x = (levels / 255 * 2 - 1).to(at::kFloat).view({3, 1, 2});
    const RgbImage image = toRgb(x);
    QCOMPARE(image.width, 2);
    QCOMPARE(image.height, 1);
    // channel-first in, interleaved out
    const at::Tensor expected = ((x * 0.5 + 0.5).clamp(0, 1) * 255).round().to(at::kByte).flatten();
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 2; ++i) QCOMPARE(int(image.pixels[std::size_t(3 * i + c)]), expected[2 * c + i].item<int>());
    QCOMPARE(int(toRgb(at::full({3, 1, 1}, 0.0)).pixels[0]), 128);   // 127.5
    QCOMPARE(int(toRgb(at::full({3, 1, 1}, -2.0)).pixels[0]), 0);
    QCOMPARE(int(toRgb(at::full({3, 1, 1}, 2.0)).pixels[0]), 255);
  }
};

QTEST_APPLESS_MAIN(LatentsTest)
#include "pipeline_latents_test.moc"
