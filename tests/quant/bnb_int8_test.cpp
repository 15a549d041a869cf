// LLM.int8() against its definition in torch operations, and the kernels against each other.
#include "quant/bnb_int8.h"
#include "quant/kernels/int8.h"
#include "tests/engine/process_memory.h"
#include "tests/quant/support.h"
#include "tests/real_memory.h"

#include <QCoreApplication>
#include <QTest>

#include <cmath>
#include <limits>

using namespace quantspot::quant;
using namespace quantspot::quant::test;
using quantspot::test::residentBytes;

namespace {

// bitsandbytes 0.50.2, backends/default/ops.py, one operation after the other; the integer product in fp64 is exact.
at::Tensor wantedProduct(const at::Tensor& x, const QuantizedTensor& w, const at::Tensor& bias, float threshold) {
  const at::Tensor half = x.to(at::kHalf), large = threshold > 0 ? half.abs().ge(threshold) : at::zeros_like(half, at::kBool);
  const at::Tensor which = large.any(0).nonzero().flatten(), rest = half.masked_fill(large, 0);
  const at::Tensor scales = rest.abs().amax(1).to(at::kFloat).view({-1, 1});
  const at::Tensor codes = (rest * (scales.reciprocal() * 127)).round().nan_to_num(0).index_fill(1, which, 0);
  const at::Tensor sums = at::matmul(codes.to(at::kDouble), w.part("").to(at::kDouble).t()).to(at::kFloat);
  const at::Tensor y = (sums * (scales * w.part("SCB").view({1, -1})) * 6.200124e-05 + bias).to(at::kBFloat16);
  if (which.numel() == 0) return y;
  const at::Tensor columns = quantizer("bnb-int8").unpack(w).index_select(1, which);
  return (y.to(at::kDouble) + at::matmul(x.index_select(1, which).to(at::kDouble), columns.to(at::kDouble).t())).to(at::kBFloat16);
}

void addVariants() {
  QTest::addColumn<const Int8Kernels*>("variant");
  QTest::newRow("AVX2") << avx2Int8Kernels();
  QTest::newRow("AVX-VNNI") << avxVnniInt8Kernels();
  QTest::newRow("AVX-512 VNNI") << avx512Int8Kernels();
}

double differing(const at::Tensor& a, const at::Tensor& b) { return a.ne(b).to(at::kFloat).mean().item<double>(); }

}  // namespace
Q_DECLARE_METATYPE(const quantspot::quant::Int8Kernels*)

class BnbInt8Test : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void codesAreRoundedRows() {
    at::Tensor weight = at::zeros({3, 4});
    weight[0] = at::tensor({1.0f, -0.5f, 0.25f, 0.0f});
    weight[1] = at::tensor({-2.0f, 2.0f, 1.0f, 0.0117f});  // the third row stays zero
    const QuantizedTensor packed = quantizer("bnb-int8").pack(weight);
    QVERIFY(at::equal(packed.part("SCB"), at::tensor({1.0f, 2.0f, 0.0f})));
    const at::Tensor wanted = at::tensor({127, -64, 32, 0, -127, 127, 64, 1, 0, 0, 0, 0}, at::kChar).view({3, 4});
    QVERIFY(at::equal(packed.part(""), wanted));
    QCOMPARE(packed.part("").scalar_type(), at::kChar);
  }

  void errorIsWithinHalfAStep() {
    const Quantizer& q = quantizer("bnb-int8");
    const at::Tensor weight = randomMatrix(64, 200, 3).to(at::kBFloat16);
    const at::Tensor error = (q.unpack(q.pack(weight)).to(at::kFloat) - weight.to(at::kFloat)).abs();
    const at::Tensor rowMax = std::get<0>(weight.to(at::kFloat).abs().max(1, true));
    QVERIFY((error <= rowMax * (0.5 / 127 + 0x1p-8)).all().item<bool>());
  }

  void weightsBeyondHalfAreRefused() {
    at::Tensor weight = at::ones({2, 8});
    weight[1][3] = 1e6f;
    const QString error = thrown([&] { quantizer("bnb-int8").pack(weight); });
    QVERIFY2(error.contains("weight[1, 3] is inf in Half"), qPrintable(error));
  }

  void forwardEqualsTheDefinition_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("in");
    QTest::addColumn<int>("out");
    QTest::addColumn<float>("threshold");
    QTest::addColumn<bool>("outliers");
    for (const auto& [m, k, n] : {std::tuple{64, 256, 128}, {1, 64, 48}, {7, 131, 33}, {3, 9, 5}, {50, 1000, 70}})
      for (const float threshold : {6.0f, 0.0f, 2.5f})
        for (const bool outliers : {false, true})
          QTest::addRow("%dx%dx%d at %g%s", m, k, n, threshold, outliers ? " with outliers" : "") << m << k << n << threshold << outliers;
  }
  void forwardEqualsTheDefinition() {
    QFETCH(int, rows);
    QFETCH(int, in);
    QFETCH(int, out);
    QFETCH(float, threshold);
    QFETCH(bool, outliers);
    const BnbInt8 q("bnb-int8", {.threshold = threshold});
    const at::Tensor bias = randomMatrix(1, out, 2)[0].to(at::kBFloat16);
    at::Tensor x = randomMatrix(rows, in, 8).to(at::kBFloat16);
    if (outliers) {
      x.select(1, in / 2).mul_(30);
      x[rows - 1][in - 1] = 6.0f;  // at the threshold is an outlier already
    }
    const QuantizedTensor packed = q.pack(randomMatrix(out, in, 1));
    const at::Tensor y = q.linear(packed, bias)->forward(x), wanted = wantedProduct(x, packed, bias, threshold);
    // Only the order of fp32 sums over outlier columns is free.
    QVERIFY2(differing(y, wanted) <= (outliers || threshold == 2.5f ? 0.002 : 0), qPrintable(QString::number(differing(y, wanted))));
  }

  void outliersAreExactWhereEightBitsAreNot() {
    at::Tensor x = randomMatrix(16, 128, 4).to(at::kBFloat16);
    x.select(1, 5).mul_(500);
    const at::Tensor weight = randomMatrix(64, 128, 6);
    const at::Tensor exact = at::linear(x.to(at::kFloat), weight);
    const BnbInt8 with("bnb-int8"), without("bnb-int8", {.threshold = 0});
    const double kept = relativeError(with.linear(with.pack(weight), {})->forward(x), exact);
    const double lost = relativeError(without.linear(without.pack(weight), {})->forward(x), exact);
    QVERIFY2(kept < 0.01 && lost > 2 * kept, qPrintable(QString("%1 with, %2 without").arg(kept).arg(lost)));
  }

  // oneDNN keeps a kernel of its own for every width of a product; the number of outlier columns must not become one.
  void anyNumberOfOutlierColumnsTakesTheSameMemory() {
    SKIP_UNDER_SANITIZER();
    const auto linear = packedLinear("bnb-int8", randomMatrix(512, 512));
    at::Tensor x = at::zeros({64, 512}, at::kBFloat16);
    std::int64_t early = 0;
    for (int count = 1; count <= 256; ++count) {
      x.select(1, count - 1).fill_(10);
      linear->forward(x);
      if (count == 128) early = residentBytes(QCoreApplication::applicationPid());
    }
    const std::int64_t grown = residentBytes(QCoreApplication::applicationPid()) - early;
    QVERIFY2(grown < 16 << 20, qPrintable(QStringLiteral("%1 KiB").arg(grown >> 10)));
  }

  void notANumberIsNotHidden() {
    at::Tensor x = at::ones({2, 64}, at::kBFloat16);
    x[1][3] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor y = packedLinear("bnb-int8", randomMatrix(16, 64))->forward(x);
    QVERIFY(y[0].isfinite().all().item<bool>());
    QVERIFY(y[1].isnan().all().item<bool>());
  }

  void kernelsAgree_data() { addVariants(); }
  void kernelsAgree() {
    QFETCH(const Int8Kernels*, variant);
    if (!variant) QSKIP("this CPU lacks the instructions");
    const Int8Kernels &a = portableInt8Kernels(), &b = *variant;
    for (const std::int64_t count : {1, 15, 16, 17, 100, 257}) {
      const at::Tensor x = (randomMatrix(1, count, 21) * 3).to(at::kBFloat16);
      const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
      std::vector<std::uint8_t> marksA(count), marksB(count);
      const float scale = a.rowScale(from, count, 4, marksA.data());
      QCOMPARE(b.rowScale(from, count, 4, marksB.data()), scale);
      QVERIFY(marksA == marksB);
      std::vector<std::int8_t> codesA(count), codesB(count);
      QCOMPARE(a.quantizeRow(from, count, scale, marksA.data(), codesA.data()), b.quantizeRow(from, count, scale, marksB.data(), codesB.data()));
      QVERIFY(codesA == codesB);
    }
  }

  void activationKernelsAgree_data() { addVariants(); }
  void activationKernelsAgree() {
    QFETCH(const Int8Kernels*, variant);
    if (!variant) QSKIP("this CPU lacks the instructions");
    const Int8Kernels &a = portableInt8Kernels(), &b = *variant;
    for (const std::int64_t count : {1, 15, 16, 17, 100, 257}) {
      const at::Tensor wide = randomMatrix(1, count, 21) * 3, x = wide.to(at::kBFloat16);
      const auto* from = static_cast<const Bf16*>(x.const_data_ptr());
      QCOMPARE(b.largest(from, count), x.abs().max().item<float>());
      QCOMPARE(a.largest(from, count), b.largest(from, count));
      const auto same = [&](auto&& quantize) {
        std::vector<std::int8_t> codesA(count), codesB(count);
        return quantize(a, codesA.data()) == quantize(b, codesB.data()) && codesA == codesB;
      };
      for (const float scale : {0.02f, 0.3f, 1e-5f}) {  // the last one leaves nothing within range
        QVERIFY(same([&](const Int8Kernels& k, std::int8_t* codes) { return k.quantizeBy(from, count, 1 / scale, codes); }));
        QVERIFY(same([&](const Int8Kernels& k, std::int8_t* codes) { return k.quantizeOver(from, count, scale, codes); }));
        for (const int zero : {0, 64, 127})
          QVERIFY(same([&](const Int8Kernels& k, std::int8_t* codes) { return k.quantizeFrom(wide.const_data_ptr<float>(), count, 1 / scale, zero, codes); }));
      }
    }
    const at::Tensor nan = at::full({20}, std::numeric_limits<float>::quiet_NaN(), at::kBFloat16);
    QVERIFY(std::isnan(b.largest(static_cast<const Bf16*>(nan.const_data_ptr()), 20)));
  }

  void productsAgree_data() { addVariants(); }
  void productsAgree() {
    QFETCH(const Int8Kernels*, variant);
    if (!variant) QSKIP("this CPU lacks the instructions");
    for (const auto& [rows, depth, columns] : {std::tuple{1, 1, 1}, {13, 24, 64}, {25, 7, 100}, {6, 300, 16}, {8, 2, 81}}) {
      const int panels = (columns + 15) / 16;
      const at::Tensor codes = at::randint(-127, 128, {rows, depth * 4}, at::kChar), weight = at::randint(0, 256, {panels, depth, 64}, at::kByte);
      const at::Tensor scales = at::rand({rows}), columnScales = at::rand({columns}), bias = at::randn({columns});
      const at::Tensor sums = codes.to(at::kInt).sum(1).to(at::kInt);
      const at::Tensor a = at::zeros({rows, columns}, at::kBFloat16), b = at::ones_like(a), wideA = at::zeros({rows, columns}), wideB = at::ones({rows, columns});
      for (const float* added : {bias.const_data_ptr<float>(), static_cast<const float*>(nullptr)}) {
        Int8Product p{codes.const_data_ptr<std::int8_t>(), scales.const_data_ptr<float>(), sums.const_data_ptr<int>(), weight.const_data_ptr<std::uint8_t>(),
                      columnScales.const_data_ptr<float>(), added, static_cast<Bf16*>(a.data_ptr()), rows, depth, columns};
        for (const Int8Finish finish : {Int8Finish::Bnb, Int8Finish::TorchAo, Int8Finish::Quanto, Int8Finish::Fbgemm}) {
          p.finish = finish;
          p.out = static_cast<Bf16*>(a.data_ptr()), p.wide = wideA.data_ptr<float>();
          portableInt8Kernels().product(p, 0, panels);
          p.out = static_cast<Bf16*>(b.data_ptr()), p.wide = wideB.data_ptr<float>();
          variant->product(p, 0, panels);
          QVERIFY(finish == Int8Finish::Fbgemm ? at::equal(wideA, wideB) : at::equal(a, b));
        }
      }
    }
  }
};

QTEST_GUILESS_MAIN(BnbInt8Test)
#include "bnb_int8_test.moc"
