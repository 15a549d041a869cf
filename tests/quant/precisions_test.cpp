// What holds for every precision: one body, a row per id.
#include "quant/precision_info.h"
#include "tests/quant/support.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <QTest>

#include <limits>
#include <thread>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

void addRows() {
  QTest::addColumn<QString>("id");
  for (const auto& known : quantizers()) QTest::newRow(known->name().data()) << QString::fromUtf8(known->name().data());
}

// What activations of 8 bits and roundings between the steps of a reference add to the product of the unpacked weight.
double errorBound(const QString& id) {
  if (id == "fp32") return 1e-6;
  if (id == "torchao-fp8dq") return 0.04;
  if (id == "int8-dynamic") return 0.03;  // 7 bits for all activations
  if (id == "bnb-int8" || id.endsWith("int8dq") || id.endsWith("a8")) return 0.012;
  if (id == "quanto-int4") return 0.006;  // its shift is rounded once more on the way to disk
  return 0.004;
}

}  // namespace

class PrecisionsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void shownPrecisionsAreTheBuiltOnes() {
    QCOMPARE(precisionInfos.size(), quantizers().size());
    for (std::size_t i = 0; i < precisionInfos.size(); ++i) QCOMPARE(precisionInfos[i].id, quantizers()[i]->name());
  }

  void weightsRestInTheSmallFormat_data() { addRows(); }
  void weightsRestInTheSmallFormat() {
    QFETCH(QString, id);
    const std::int64_t rows = 512, columns = 1024;
    const PrecisionInfo* info = precisionInfo(id.toStdString());
    const QuantizedTensor packed = quantizer(id.toStdString()).pack(randomMatrix(rows, columns));
    const double bits = 8.0 * packed.bytes() / (rows * columns);
    QVERIFY2(bits >= info->bitsPerWeight && bits < info->bitsPerWeight + 0.1, qPrintable(QString::number(bits)));
    for (const auto& [name, part] : packed.parts)  // a small view of a large tensor would keep the large one alive
      QCOMPARE(part.storage().nbytes(), part.nbytes());
  }

  void unpackGivesTheComputeType_data() { addRows(); }
  void unpackGivesTheComputeType() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const QuantizedTensor packed = q.pack(randomMatrix(48, 256));
    QCOMPARE(packed.precision, id.toStdString());
    QCOMPARE(packed.dtype, q.computeType());
    const at::Tensor weight = q.unpack(packed);
    QCOMPARE(weight.scalar_type(), q.computeType());
    QVERIFY(weight.sizes() == at::IntArrayRef({48, 256}));
  }

  // The product is the one of the unpacked weight; int8 also rounds the activations.
  void forwardMultipliesTheUnpackedWeight_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("in");
    QTest::addColumn<int>("out");
    const int shapes[][3] = {{1, 64, 32}, {5, 96, 17}, {64, 256, 1024}, {3, 3072, 2500}, {130, 130, 130}};
    for (const auto& known : quantizers())
      for (const auto& [m, k, n] : shapes) {
        const QString id = QString::fromUtf8(known->name().data());
        QTest::addRow("%s %dx%dx%d", qPrintable(id), m, k, n) << id << m << k << n;
      }
    for (const char* id : {"bnb-nf4?blocksize=256", "bnb-fp4-dq?blocksize=128", "bnb-nf4-dq?blocksize=4096"})   // scales of several pieces
      for (const auto& [m, k, n] : shapes) QTest::addRow("%s %dx%dx%d", id, m, k, n) << QString::fromLatin1(id) << m << k << n;
  }
  void forwardMultipliesTheUnpackedWeight() {
    QFETCH(QString, id);
    QFETCH(int, rows);
    QFETCH(int, in);
    QFETCH(int, out);
    c10::InferenceMode guard;
    const Quantizer& q = quantizer(quantizer(id.toStdString()).precisionFor({out, in}));  // some formats hold no such rows
    const at::Tensor weight = randomMatrix(out, in, 3), bias = randomMatrix(1, out, 4)[0] * 10;
    const auto linear = q.linear(q.pack(weight), bias);
    QCOMPARE(linear->inFeatures(), in);
    QCOMPARE(linear->outFeatures(), out);
    const at::Tensor x = randomMatrix(rows, in, 5).to(q.computeType()).view({1, rows, in});
    const at::Tensor y = linear->forward(x);
    QCOMPARE(y.scalar_type(), q.computeType());
    QVERIFY(y.sizes() == at::IntArrayRef({1, rows, out}));
    const at::ScalarType stored = id.endsWith("e5m2") ? at::kFloat8_e5m2 : id.startsWith("fp8") ? at::kFloat8_e4m3fn : q.computeType();
    const at::Tensor added = bias.to(q.computeType()).to(stored).to(at::kDouble);
    const at::Tensor wanted = at::linear(x.to(at::kDouble), q.unpack(q.pack(weight)).to(at::kDouble), added);
    const double bound = errorBound(id);
    QVERIFY2(relativeError(y, wanted) < bound, qPrintable(QString::number(relativeError(y, wanted))));
  }

  void forwardTakesOtherActivationTypes_data() { addRows(); }
  void forwardTakesOtherActivationTypes() {
    QFETCH(QString, id);
    const auto linear = packedLinear(id.toStdString(), randomMatrix(16, 256));
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf})
      QCOMPARE(linear->forward(randomMatrix(2, 256).to(type)).scalar_type(), type);
  }

  void forwardOfNothingIsEmpty_data() { addRows(); }
  void forwardOfNothingIsEmpty() {
    QFETCH(QString, id);
    const auto linear = packedLinear(id.toStdString(), randomMatrix(16, 256));
    QVERIFY(linear->forward(at::empty({0, 256})).sizes() == at::IntArrayRef({0, 16}));
  }

  void bytesAreThoseOfWeightAndBias_data() { addRows(); }
  void bytesAreThoseOfWeightAndBias() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const at::Tensor weight = randomMatrix(96, 256);
    const std::int64_t biasElement = id == "fp32" || id == "int8-dynamic" ? 4 : id.startsWith("fp8") ? 1 : 2;
    QCOMPARE(q.linear(q.pack(weight), {})->bytes(), q.pack(weight).bytes());
    QCOMPARE(q.linear(q.pack(weight), at::ones({96}))->bytes(), q.pack(weight).bytes() + 96 * biasElement);
  }

  void badWeightsAreRefused_data() { addRows(); }
  void badWeightsAreRefused() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      at::Tensor weight = at::ones({4, 256});
      weight[2][7] = bad;
      const QString error = thrown([&] { q.pack(weight); });
      QVERIFY2(error.contains("weight[2, 7]"), qPrintable(error));
    }
    QVERIFY(thrown([&] { q.pack(at::ones({64})); }).contains("matrix"));
    QVERIFY(thrown([&] { q.pack(at::ones({4, 256}, at::kInt)); }).contains("Int"));
    QVERIFY(thrown([&] { q.pack(at::ones({0, 256})); }).contains("matrix"));
    QVERIFY(thrown([&] { q.linear(q.pack(at::ones({16, 256})), at::ones({5})); }).contains("bias has 5"));
  }

  void acceleratorAgreesWithTheCpu_data() { addRows(); }
  void acceleratorAgreesWithTheCpu() {
    if (!at::hasCUDA()) QSKIP("no CUDA device");
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    const at::Tensor weight = randomMatrix(96, 256), bias = randomMatrix(1, 96)[0];
    at::Tensor x = randomMatrix(20, 256, 9).to(q.computeType());
    x.select(1, 3).mul_(20);
    const QuantizedTensor here = q.pack(weight), there = q.pack(weight.to(at::kCUDA));
    QVERIFY(at::equal(q.unpack(here), q.unpack(there).cpu()));
    const at::Tensor y = q.linear(there, bias.to(at::kCUDA))->forward(x.to(at::kCUDA)).cpu();
    QVERIFY(relativeError(y, q.linear(here, bias)->forward(x)) < (id == "fp32" ? 1e-3 : 1e-2));
  }

  void threadsGetTheSameBits_data() { addRows(); }
  void threadsGetTheSameBits() {
    QFETCH(QString, id);
    const auto linear = packedLinear(id.toStdString(), randomMatrix(304, 256), randomMatrix(1, 304)[0]);
    const at::Tensor x = randomMatrix(40, 256, 9).to(quantizer(id.toStdString()).computeType());
    const at::Tensor once = linear->forward(x);
    std::vector<at::Tensor> results(4);
    std::vector<std::thread> threads;
    for (at::Tensor& result : results) threads.emplace_back([&] {
      c10::InferenceMode guard;
      result = linear->forward(x);
    });
    for (std::thread& thread : threads) thread.join();
    for (const at::Tensor& result : results) QVERIFY(at::equal(result, once));
  }
};

QTEST_GUILESS_MAIN(PrecisionsTest)
#include "precisions_test.moc"
