// Formats against their definitions, on values worked out here and on random ones.
#include "quant/bnb_4bit.h"
#include "tests/quant/support.h"

#include <QTest>

#include <algorithm>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

// The definition, one value at a time and without shared code: the nearest of the 16 values, a tie to the lower.
int nearestNf4(float scaled) {
  const auto& values = nf4Map().values;
  int best = 0;
  while (best < 15 && scaled > (values[best] + values[best + 1]) / 2) ++best;
  return best;
}

int codeAt(const at::Tensor& codes, std::int64_t i) {
  const int byte = codes.const_data_ptr<std::uint8_t>()[i / 2];
  return i % 2 ? byte & 15 : byte >> 4;
}

}  // namespace

class FormatsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void fp8RoundsToEvenAndSaturates_data() {
    QTest::addColumn<float>("value");
    QTest::addColumn<float>("kept");
    QTest::newRow("exact") << 0.875f << 0.875f;
    QTest::newRow("tie to even below") << 1.0625f << 1.0f;
    QTest::newRow("tie to even above") << 1.1875f << 1.25f;
    QTest::newRow("smallest") << 0x1p-9f << 0x1p-9f;
    QTest::newRow("half of the smallest") << 0x1p-10f << 0.0f;
    QTest::newRow("largest") << -448.0f << -448.0f;
    QTest::newRow("too large") << 465.0f << 448.0f;
    QTest::newRow("far too large") << -1e30f << -448.0f;
  }
  void fp8RoundsToEvenAndSaturates() {
    QFETCH(float, value);
    QFETCH(float, kept);
    const Quantizer& q = quantizer("fp8-layerwise");
    QCOMPARE(q.unpack(q.pack(at::full({1, 1}, value))).item<float>(), kept);
  }

  void fp8CastsTheBiasToo() {
    const at::Tensor zero = at::zeros({1, 2}), bias = at::tensor({1.0625f, 1000.0f});
    const at::Tensor y = packedLinear("fp8-layerwise", at::ones({2, 2}), bias)->forward(zero);
    QVERIFY(at::equal(y.to(at::kFloat), at::tensor({1.0f, 448.0f}).view({1, 2})));
  }

  void fp8SkipsWhatDiffusersSkips_data() {
    QTest::addColumn<QString>("layer");
    QTest::addColumn<bool>("skipped");
    QTest::newRow("x_embedder") << "x_embedder" << false;
    QTest::newRow("adaln") << "transformer_blocks.0.norm1.linear" << true;
    QTest::newRow("norm_out") << "norm_out.linear" << true;
    QTest::newRow("top proj_out") << "proj_out" << true;
    QTest::newRow("block proj_out") << "single_transformer_blocks.3.proj_out" << false;
    QTest::newRow("attention") << "transformer_blocks.0.attn.to_q" << false;
    QTest::newRow("feed-forward") << "transformer_blocks.0.ff.net.0.proj" << false;
  }
  void fp8SkipsWhatDiffusersSkips() {
    QFETCH(QString, layer);
    QTEST(quantizer("fp8-layerwise").skips(layer.toStdString()), "skipped");
  }

  void nf4CodesAreTheNearestOnes_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::addColumn<double>("scale");
    QTest::newRow("whole blocks") << 16 << 128 << 1.0;
    QTest::newRow("blocks across rows") << 10 << 96 << 1.0;
    QTest::newRow("odd count") << 7 << 9 << 1.0;
    QTest::newRow("tiny") << 8 << 64 << 1e-30;
    QTest::newRow("huge") << 8 << 64 << 1e30;
  }
  void nf4CodesAreTheNearestOnes() {
    QFETCH(int, rows);
    QFETCH(int, columns);
    QFETCH(double, scale);
    const at::Tensor weight = (randomMatrix(rows, columns, 11) * scale).to(at::kBFloat16);
    const QuantizedTensor packed = quantizer("bnb-nf4").pack(weight);
    const at::Tensor flat = weight.flatten().to(at::kFloat);
    for (std::int64_t begin = 0; begin < flat.numel(); begin += 64) {
      const at::Tensor block = flat.narrow(0, begin, std::min<std::int64_t>(64, flat.numel() - begin));
      const float absmax = block.abs().max().item<float>();
      QCOMPARE(packed.part("absmax")[begin / 64].item<float>(), absmax);
      for (std::int64_t i = 0; i < block.numel(); ++i) {
        const float value = block[i].item<float>(), scaled = block.numel() == 64 ? value * (1 / absmax) : value / absmax;
        QCOMPARE(codeAt(packed.part(""), begin + i), nearestNf4(std::clamp(scaled, -1.0f, 1.0f)));
      }
    }
  }

  void nf4ErrorIsWithinHalfTheWidestGap() {
    const Quantizer& q = quantizer("bnb-nf4");
    const at::Tensor weight = randomMatrix(64, 256, 5).to(at::kBFloat16);
    const at::Tensor error = (q.unpack(q.pack(weight)) - weight).to(at::kFloat).abs().view({-1, 64});
    const at::Tensor bound = std::get<0>(weight.to(at::kFloat).abs().view({-1, 64}).max(1, true)) * (0.1520 + 0x1p-8);
    QVERIFY((error <= bound).all().item<bool>());
  }

  void nf4ZeroBlockIsSevens() {
    const QuantizedTensor packed = quantizer("bnb-nf4").pack(at::zeros({1, 64}));
    QVERIFY((packed.part("") == 0x77).all().item<bool>());
    QCOMPARE(packed.part("absmax").item<float>(), 0.0f);
    QVERIFY(packed.part("").sizes() == at::IntArrayRef({32, 1}));
  }

  void fp4ZeroBlockIsZeros() {
    const QuantizedTensor packed = quantizer("bnb-fp4").pack(at::zeros({1, 64}));
    QVERIFY((packed.part("") == 0).all().item<bool>());
  }

  void doubleQuantKeepsEqualScales() {
    const Quantizer& q = quantizer("bnb-nf4-dq");  // nothing is left after the mean is taken off, and 0/0 is near
    const at::Tensor weight = at::full({8, 64}, 0.5);
    QVERIFY(at::equal(q.unpack(q.pack(weight)), weight.to(at::kBFloat16)));
  }

  void nf4EvenElementIsTheHighNibble() {
    at::Tensor weight = at::zeros({1, 64});
    weight[0][0] = -1;
    weight[0][1] = 1;
    QCOMPARE(quantizer("bnb-nf4").pack(weight).part("")[0].item<int>(), 0x0f);
  }
};

QTEST_GUILESS_MAIN(FormatsTest)
#include "formats_test.moc"
