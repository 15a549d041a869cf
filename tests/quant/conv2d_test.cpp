// Packed convolutions against torch's with the unpacked weight.
#include "quant/conv2d.h"
#include "tests/quant/support.h"

#include <QTest>

#include <cmath>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

void addRows() {
  QTest::addColumn<QString>("id");
  for (const auto& known : quantizers()) QTest::newRow(known->name().data()) << QString::fromUtf8(known->name().data());
}

at::Tensor kernel(std::int64_t out, std::int64_t in, std::int64_t size, std::uint64_t seed = 1) {
  return randomMatrix(out, in * size * size, seed).view({out, in, size, size});
}

// What a bias rests in: layerwise casting casts it with the weight.
at::ScalarType biasType(const Quantizer& q) {
  const std::string name(q.name());
  if (!name.starts_with("fp8-layerwise")) return q.computeType();
  return name.ends_with("e5m2") ? at::kFloat8_e5m2 : at::kFloat8_e4m3fn;
}

}  // namespace

class Conv2dTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void forwardConvolvesTheUnpackedWeight_data() { addRows(); }
  void forwardConvolvesTheUnpackedWeight() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(quantizer(id.toStdString()).precisionFor({32, 64 * 9}));
    const Conv2dOptions options{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}};
    const at::Tensor bias = randomMatrix(1, 32, 2)[0];
    const Conv2d layer(q, kernel(32, 64, 3), bias, options);
    const at::Tensor x = randomMatrix(2 * 64, 11 * 9, 3).view({2, 64, 11, 9}).to(q.computeType());
    const at::Tensor y = layer.forward(x), weight = q.unpack(layer.weight()).view({32, 64, 3, 3});
    const at::Tensor wanted = at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), bias.to(q.computeType()).to(biasType(q)).to(at::kDouble), options.stride, options.padding,
                                         options.dilation, options.groups);
    QCOMPARE(y.scalar_type(), q.computeType());
    QVERIFY(y.sizes() == wanted.sizes());
    QVERIFY2(relativeError(y, wanted) < (q.computeType() == at::kFloat ? 1e-5 : 0.003), qPrintable(QString::number(relativeError(y, wanted))));
  }

  void bytesAreThoseOfWeightAndBias_data() { addRows(); }
  void bytesAreThoseOfWeightAndBias() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(quantizer(id.toStdString()).precisionFor({16, 256}));
    const Conv2d layer(q, kernel(16, 64, 2), at::ones({16}));
    QCOMPARE(layer.bytes(), q.packConvolution(kernel(16, 64, 2)).bytes() + 16 * c10::elementSize(biasType(q)));
    QCOMPARE(layer.precision(), q.name());
  }

  void rowsAreThoseOfTheWhole_data() { addRows(); }
  void rowsAreThoseOfTheWhole() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const QuantizedTensor packed = q.pack(randomMatrix(48, 256));
    const at::Tensor whole = q.unpack(packed);
    for (const auto& [begin, count] : {std::pair{0, 48}, {5, 7}, {47, 1}}) QVERIFY(at::equal(q.unpackRows(packed, begin, count), whole.narrow(0, begin, count)));
  }

  void largeWeightsGoInPieces() {
    const Quantizer& q = quantizer("quanto-int8");
    const Conv2d layer(q, kernel(96, 16384, 3), {});  // 16 MiB hold 56 channels in bf16
    const at::Tensor x = randomMatrix(16384, 9, 5).view({1, 16384, 3, 3}).to(at::kBFloat16);
    const at::Tensor wanted = at::linear(x.view({1, -1}).to(at::kFloat), q.unpack(layer.weight()).to(at::kFloat));
    QVERIFY(relativeError(layer.forward(x).view({1, -1}), wanted) < 0.003);
  }

  void groupsHaveInputsOfTheirOwn() {
    const Quantizer& q = quantizer("bnb-nf4");
    const Conv2d layer(q, kernel(32, 1, 3), {}, {.padding = {1, 1}, .groups = 32});
    const at::Tensor x = randomMatrix(32, 25, 6).view({1, 32, 5, 5});  // fp32 in, fp32 out
    const at::Tensor weight = q.unpack(layer.weight()).view({32, 1, 3, 3}).to(at::kFloat);
    const std::vector<std::int64_t> one{1, 1};
    const at::Tensor wanted = at::conv2d(x.to(at::kBFloat16).to(at::kFloat), weight, {}, one, one, one, 32);
    QCOMPARE(layer.forward(x).scalar_type(), at::kFloat);
    QVERIFY(relativeError(layer.forward(x), wanted) < 0.004);
  }

  void mistakesAreNamed() {
    const Quantizer& q = quantizer("quanto-int4");
    QVERIFY(thrown([&] { Conv2d(q, at::ones({4, 64}), {}); }).contains("a convolution's weight is (out, in, height, width)"));
    QVERIFY(thrown([&] { Conv2d(q, kernel(4, 4, 3), at::ones({5})); }).contains("bias has 5 values, the convolution 4 channels"));
    QVERIFY(thrown([&] { Conv2d(q, at::full({4, 4, 3, 3}, INFINITY), {}); }).contains("weight[0, 0] is inf"));
  }
};

QTEST_GUILESS_MAIN(Conv2dTest)
#include "conv2d_test.moc"
