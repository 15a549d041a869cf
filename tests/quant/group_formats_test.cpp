// What must hold for the torchao, Quanto and dynamic formats on weights of any shape and size.
#include "tests/quant/support.h"

#include <QTest>

#include <cmath>
#include <random>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

// Half a step of the format, plus the roundings to bf16 on the way: `codes` relative to the largest weight of a group or row
// (8-bit floats: to the weight itself), `extra` always relative to the largest.
struct Bound {
  const char* id;
  double step, floating;
};

constexpr double bf16Step = 0x1p-8;

// One rounding of w / scale to bf16 before the code moves a value by up to half of its last place: 1/4 of a step at 64 … 128.
constexpr Bound bounds[] = {
    {"torchao-int8wo", 0.5 / 127.5 + bf16Step, 0},     // the scale is rounded, and the largest code may be cut
    {"torchao-fp8wo", bf16Step, 0x1p-4 + 2 * bf16Step},
    {"torchao-int4wo", (0.5 / 15 + 3 * bf16Step) * 2, 0},   // the range is at most twice the largest value
    {"torchao-int4wo?group=32", (0.5 / 15 + 3 * bf16Step) * 2, 0},
    {"quanto-int8", 0.75 / 127 + 2 * bf16Step, 0},
    {"quanto-fp8", bf16Step, 0x1p-4 + 3 * bf16Step},
    {"quanto-int4", (0.5 / 15 + 4 * bf16Step) * 2, 0},
    {"quanto-int2", (0.5 / 3 + 3 * bf16Step) * 2, 0},
};

void addBounds() {
  QTest::addColumn<QString>("id");
  QTest::addColumn<double>("step");
  QTest::addColumn<double>("floating");
  for (const Bound& bound : bounds) QTest::newRow(bound.id) << bound.id << bound.step << bound.floating;
}

// The largest magnitude of what shares a scale; rows for the formats without groups.
at::Tensor largest(const at::Tensor& weight, const QString& id) {
  std::int64_t group = weight.size(1);
  if (id.startsWith("torchao-int4")) group = id.endsWith("32") ? 32 : 128;
  if (id == "quanto-int4" || id == "quanto-int2")
    for (const int size : {128, 96, 64, 32})
      if (weight.size(1) > 128 && weight.size(1) % size == 0) {
        group = size;
        break;
      }
  const at::Tensor groups = weight.to(at::kDouble).view({-1, group});
  return groups.abs().amax(1, true).expand_as(groups).reshape(weight.sizes());
}

}  // namespace

class GroupFormatsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void errorsAreWithinTheBound_data() { addBounds(); }
  void errorsAreWithinTheBound() {
    QFETCH(QString, id);
    QFETCH(double, step);
    QFETCH(double, floating);
    const Quantizer& q = quantizer(id.toStdString());
    std::mt19937 random(11);
    for (int round = 0; round < 40; ++round) {
      const std::int64_t rows = 2 + random() % 40, columns = round % 2 ? 128 * (1 + random() % 3) : 1 + random() % 400;
      if (q.precisionFor({rows, columns}) != q.name()) continue;
      const double size = std::pow(10.0, static_cast<int>(random() % 8) - 4);
      const at::Tensor weight = (randomMatrix(rows, columns, round) * size).to(at::kBFloat16), wide = weight.to(at::kDouble);
      const at::Tensor error = (q.unpack(q.pack(weight)).to(at::kDouble) - wide).abs();
      QVERIFY2((error <= largest(weight, id) * step + wide.abs() * floating).all().item<bool>(), qPrintable(QString("%1 x %2").arg(rows).arg(columns)));
    }
  }

  void dynamicErrorsAreWithinHalfAStep() {
    for (const char* id : {"int8-dynamic", "int8-dynamic?weights=per-channel"}) {
      const Quantizer& q = quantizer(id);
      const at::Tensor weight = randomMatrix(33, 77, 5), whole = weight.abs().max(), rows = weight.abs().amax(1, true);
      const at::Tensor error = (q.unpack(q.pack(weight)) - weight).abs();
      QVERIFY((error <= (q.name() == "int8-dynamic" ? whole : rows) * (1.01 / 127.5)).all().item<bool>());  // 127.5 itself is cut to 127
    }
  }

  // A group of equal values is exact but for the roundings of bf16; zeros are exactly zero.
  void zerosAndEqualValues_data() { addBounds(); }
  void zerosAndEqualValues() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    at::Tensor weight = randomMatrix(48, 256).to(at::kBFloat16);
    weight[3] = 0;
    weight[4] = -0.375;
    const at::Tensor unpacked = q.unpack(q.pack(weight));
    QVERIFY(unpacked.isfinite().all().item<bool>());
    QVERIFY2(unpacked[3].abs().max().item<float>() <= (id.startsWith("torchao-int4") ? 1e-5 : 0), qPrintable(QString::number(unpacked[3].abs().max().item<float>())));
    QVERIFY((unpacked[4].to(at::kFloat) + 0.375).abs().max().item<float>() <= 0.375 * 3 * bf16Step);
    const at::Tensor y = q.linear(q.pack(weight), {})->forward(at::ones({2, 256}, at::kBFloat16));
    QVERIFY(y.isfinite().all().item<bool>());
  }

  // Sizes at the edges of bf16 stay finite; what they keep is the format's business.
  void hugeAndTinyWeightsStayFinite_data() { addBounds(); }
  void hugeAndTinyWeightsStayFinite() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    for (const double size : {1e-40, 1e-30, 1e-10, 1e10, 1e30, 1e36}) {
      const at::Tensor weight = (randomMatrix(16, 256, 4) * size).to(at::kBFloat16);
      QVERIFY2(q.unpack(q.pack(weight)).isfinite().all().item<bool>(), qPrintable(QString::number(size)));
    }
  }

  // The kernels and unpack() read the same weight, wherever groups and tiles begin.
  void expandedIsUnpacked_data() { addBounds(); }
  void expandedIsUnpacked() {
    QFETCH(QString, id);
    const Quantizer& q = quantizer(id.toStdString());
    for (const auto& [rows, columns] : {std::pair{32, 256}, {37, 192}, {5, 130}, {3, 17}, {1, 64}, {400, 384}}) {
      if (q.precisionFor({rows, columns}) != q.name()) continue;
      const QuantizedTensor packed = q.pack(randomMatrix(rows, columns, 9));
      const at::Tensor weight = q.unpack(packed);
      for (const std::int64_t few : {std::int64_t{1}, std::int64_t{3}, columns + 0L}) {  // the kernels for few activations, and the others
        const at::Tensor y = q.linear(packed, {})->forward(at::eye(columns, at::kBFloat16).narrow(0, 0, std::min<std::int64_t>(few, columns)));
        const at::Tensor wanted = weight.t().narrow(0, 0, y.size(0));
        QVERIFY2(relativeError(y, wanted) < 0.02, qPrintable(QString("%1 x %2: %3").arg(rows).arg(columns).arg(relativeError(y, wanted))));
      }
    }
  }

  // Whole numbers, whose sums are exact in any order: only the reference's own roundings remain.
  void sumsAreNotRoundedOnTheWay_data() {
    QTest::addColumn<int>("tokens");
    for (const int tokens : {1, 16, 17, 100}) QTest::addRow("%d", tokens) << tokens;
  }
  void sumsAreNotRoundedOnTheWay() {
    QFETCH(int, tokens);
    for (const int outputs : {1, 6, 70}) {
      const Quantizer& q = quantizer("quanto-int8");
      const QuantizedTensor packed = q.pack(randomMatrix(outputs, 4224, 12));
      const at::Tensor x = at::randint(-8, 9, {tokens, 4224}).to(at::kBFloat16), bias = randomMatrix(1, outputs)[0].to(at::kBFloat16);
      const at::Tensor sums = at::linear(x.to(at::kDouble), packed.part("").to(at::kDouble)).to(at::kFloat);
      const at::Tensor wanted = (sums * packed.part("_scale").to(at::kFloat).flatten()).to(at::kBFloat16) + bias;
      QVERIFY(at::equal(q.linear(packed, bias)->forward(x), wanted));
    }
  }

  // Codes times a scale plus a midpoint are no bf16 numbers: the product keeps what bf16 would lose.
  void midpointsAreNotRounded() {
    for (const char* id : {"torchao-int4wo", "torchao-int4wo?group=64", "quanto-int4"}) {
      const Quantizer& q = quantizer(id);
      const QuantizedTensor packed = q.pack(randomMatrix(70, 4224, 13) + 3);
      const at::Tensor ones = at::ones({20, 4224}, at::kBFloat16), y = q.linear(packed, {})->forward(ones);
      const at::Tensor first = q.linear(packed, {})->forward(ones.narrow(0, 0, 1));  // few tokens multiply in fp32
      QVERIFY((y.to(at::kFloat) - first.to(at::kFloat)).abs().max().item<float>() <= first.abs().max().item<float>() * 0x1p-8f);
      QVERIFY(y.ne(first).to(at::kFloat).mean().item<float>() < 0.05);  // all sums are near 12 700, so that few lie at an edge of bf16
    }
  }

  void residentBytesAreTheFormats_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<qint64>("bytes");
    const qint64 rows = 96, columns = 512, weights = rows * columns;
    QTest::newRow("torchao-int8wo") << "torchao-int8wo" << weights + rows * (4 + 1);
    QTest::newRow("torchao-int8dq") << "torchao-int8dq" << weights + rows * (4 + 1);
    QTest::newRow("torchao-fp8wo") << "torchao-fp8wo" << weights + rows * 4;
    QTest::newRow("torchao-fp8dq") << "torchao-fp8dq" << weights + rows * 4;
    QTest::newRow("torchao-int4wo") << "torchao-int4wo" << weights / 2 + weights / 128 * 4;
    QTest::newRow("torchao-int4wo, group 32") << "torchao-int4wo?group=32" << weights / 2 + weights / 32 * 4;
    QTest::newRow("quanto-int8") << "quanto-int8" << weights + rows * 2;
    QTest::newRow("quanto-int8a8") << "quanto-int8a8" << weights + rows * 2;
    QTest::newRow("quanto-fp8") << "quanto-fp8" << weights + rows * 2;
    QTest::newRow("quanto-int4") << "quanto-int4" << weights / 2 + weights / 128 * 4;
    QTest::newRow("quanto-int2") << "quanto-int2" << weights / 4 + weights / 128 * 4;
    QTest::newRow("int8-dynamic") << "int8-dynamic" << weights + 4;
    QTest::newRow("int8-dynamic, per channel") << "int8-dynamic?weights=per-channel" << weights + rows * 4;
    QTest::newRow("bnb-nf4, blocks of 1024") << "bnb-nf4?blocksize=1024" << weights / 2 + weights / 1024 * 4;
  }
  void residentBytesAreTheFormats() {
    QFETCH(QString, id);
    QFETCH(qint64, bytes);
    QCOMPARE(packedLinear(id.toStdString(), randomMatrix(96, 512))->bytes(), bytes);
  }
};

QTEST_GUILESS_MAIN(GroupFormatsTest)
#include "group_formats_test.moc"
