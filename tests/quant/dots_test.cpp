// Few activations times few rows: every variant, on whole numbers, whose sums are exact in any order.
#include "quant/kernels/dots.h"
#include "quant/kernels/rounding.h"
#include "tests/quant/support.h"

#include <QTest>

#include <random>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

constexpr std::int64_t stride = 600, pitch = 520;   // wider than what is multiplied

struct Input {
  std::vector<float> x, weight;
};

Input wholeNumbers() {
  std::mt19937 random(3);
  Input in{std::vector<float>(16 * stride), std::vector<float>(dotRows * pitch)};
  for (auto* numbers : {&in.x, &in.weight})
    for (float& number : *numbers) number = static_cast<float>(static_cast<int>(random() % 61) - 30);
  return in;
}

// What must come out, on top of what was there.
std::vector<float> expected(const Input& in, std::int64_t rows, std::int64_t count) {
  std::vector<float> sums(16 * dotRows, 5);
  for (std::int64_t m = 0; m < rows; ++m)
    for (int r = 0; r < dotRows; ++r)
      for (std::int64_t k = 0; k < count; ++k) sums[m * dotRows + r] += in.x[m * stride + k] * in.weight[r * pitch + k];
  return sums;
}

constexpr int allRows[] = {1, 2, 3, 4, 5, 7, 8, 15, 16};
constexpr int allCounts[] = {1, 7, 8, 15, 16, 31, 32, 33, 96, 511, 512};

template <class Number, class Dots>
void compare(Dots dots, const std::vector<Number>& x, const std::vector<Number>& weight) {
  if (!dots) QSKIP("this CPU has no such instructions");
  const Input in = wholeNumbers();
  for (const int rows : allRows)
    for (const int count : allCounts) {
      std::vector<float> sums(16 * dotRows, 5);
      dots(x.data(), stride, rows, weight.data(), pitch, count, reinterpret_cast<float(*)[dotRows]>(sums.data()));
      QVERIFY2(sums == expected(in, rows, count), qPrintable(QString("%1 rows, %2 values").arg(rows).arg(count)));
    }
}

}  // namespace

class DotsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void portableIsExact() { compare(portableAddDots(), wholeNumbers().x, wholeNumbers().weight); }
  void avx2IsExact() { compare(avx2AddDots(), wholeNumbers().x, wholeNumbers().weight); }
  void avx512IsExact() { compare(avx512AddDots(), wholeNumbers().x, wholeNumbers().weight); }
  void avx512Bf16IsExact() {
    const auto bits = [](const std::vector<float>& numbers) {
      std::vector<Bf16> all;
      for (const float number : numbers) all.push_back(roundToBf16(number));
      return all;
    };
    compare(avx512AddBf16Dots(), bits(wholeNumbers().x), bits(wholeNumbers().weight));
  }

  // One token alone and among many others: the same product but for the order of the sums.
  void fewTokensAgreeWithMany_data() {
    QTest::addColumn<QString>("id");
    for (const char* id : {"fp8-layerwise", "bnb-nf4", "bnb-fp4", "gguf-q8_0", "gguf-q3_k", "gguf-q4_k", "torchao-int8wo", "torchao-fp8wo",
                           "torchao-fp8dq", "torchao-int4wo", "torchao-int4wo?group=32", "quanto-int8", "quanto-fp8", "quanto-int4", "quanto-int2"}) QTest::newRow(id) << id;
  }
  void fewTokensAgreeWithMany() {
    QFETCH(QString, id);
    for (const int outputs : {1, 6, 130, 144}) {
      if (quantizer(id.toStdString()).precisionFor({outputs, 768}) == "bf16") continue;
      const auto linear = packedLinear(id.toStdString(), randomMatrix(outputs, 768, 2), randomMatrix(1, outputs)[0]);
      const at::Tensor x = randomMatrix(17, 768, 3).to(at::kBFloat16), many = linear->forward(x);
      for (const int few : {1, 3, 16}) {
        const at::Tensor y = linear->forward(x.narrow(0, 0, few)), wanted = many.narrow(0, 0, few);
        QVERIFY(relativeError(y, wanted) < 0.003);
        QVERIFY((y - wanted).abs().max().item<double>() <= 0x1p-7 * wanted.abs().max().item<double>());
      }
    }
  }
};

QTEST_GUILESS_MAIN(DotsTest)
#include "dots_test.moc"
