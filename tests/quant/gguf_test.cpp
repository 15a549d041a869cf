// What holds for ggml's formats beyond their golden data: errors, bounds, fallbacks, and kernels that agree.
#include "quant/gguf.h"
#include "quant/kernels/gguf.h"
#include "quant/kernels/half.h"
#include "quant/policy.h"
#include "tests/quant/support.h"

#include <QTest>

#include <cmath>
#include <random>

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

// `bound`: the largest error of a value as a share of the largest magnitude in its block. One step of the coarsest scale, where
// the opposite end of the range is cut off, half a step of the scales' own codes, and the roundings to fp16 and bf16.
struct Format {
  const char* id;
  std::int64_t elements, bytes;
  double bound;
};
constexpr double roundings = 0x1p-8 + 0x1p-9;
constexpr Format formats[] = {
    {"gguf-q8_0", 32, 34, 0.5 / 127 + roundings},
    {"gguf-q5_0", 32, 22, 1.0 / 16 + roundings},
    {"gguf-q5_1", 32, 24, 2 * 0.5 / 31 + roundings},
    {"gguf-q4_0", 32, 18, 1.0 / 8 + roundings},
    {"gguf-q4_1", 32, 20, 2 * 0.5 / 15 + roundings},
    {"gguf-q6_k", 256, 210, 1.0 / 32 + 0.5 / 128 + roundings},
    {"gguf-q5_k", 256, 176, 2.0 / 31 + 2 * 0.5 / 63 + 0.5 / 63 + roundings},
    {"gguf-q4_k", 256, 144, 2.0 / 15 + 2 * 0.5 / 63 + 0.5 / 63 + roundings},
    {"gguf-q3_k", 256, 110, 1.0 / 4 + 0.5 / 32 + roundings},
    {"gguf-q2_k", 256, 84, 2.0 / 3 + 2 * 0.5 / 15 + 0.5 / 15 + roundings},
};

void addFormats() {
  QTest::addColumn<int>("index");
  for (std::size_t i = 0; i < std::size(formats); ++i) QTest::newRow(formats[i].id) << static_cast<int>(i);
}

at::Tensor unpacked(const char* id, const at::Tensor& weight) {
  const Quantizer& q = quantizer(id);
  return q.unpack(q.pack(weight)).to(at::kDouble);
}

// Blocks of random bytes whose scales are finite.
std::vector<std::uint8_t> randomBlocks(const GgmlTypeInfo& type, int count) {
  std::mt19937 random(11);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * type.bytes));
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  const std::int64_t at = type.type == GgmlType::Q2_K ? 80 : type.type == GgmlType::Q3_K ? 108 : type.type == GgmlType::Q6_K ? 208 : 0;
  for (int block = 0; block < count; ++block)
    for (std::int64_t scale = at; scale < at + 4 && scale < type.bytes; scale += 2) bytes[block * type.bytes + scale + 1] &= 0xbf;
  return bytes;
}

}  // namespace

class GgufTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void halfRoundsAsTorch() {
    // Every fp16 number, what lies between neighbours, ties included, and what is beyond.
    const at::Tensor all = at::arange(0, 0x7c00, at::kInt).to(at::kShort).view(at::kHalf).to(at::kFloat);
    const at::Tensor next = all.roll(-1, 0), middle = (all + next) / 2;
    const at::Tensor values = at::cat({all, middle, (all * 3 + next) / 4, (all + next * 3) / 4, at::tensor({65519.f, 65520.f, 1e30f})});
    const at::Tensor wanted = values.to(at::kHalf).view(at::kShort);
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      const float value = values.const_data_ptr<float>()[i];
      const auto bits = static_cast<Half>(wanted.const_data_ptr<std::int16_t>()[i]);
      if (roundToHalf(value) != bits || roundToHalf(-value) != (bits | 0x8000)) QFAIL(qPrintable(QString::number(value)));
      if (i < all.numel() && widenHalf(bits) != value) QFAIL(qPrintable(QString::number(value)));
    }
  }

  void errorsStayWithinTheBound_data() { addFormats(); }
  void errorsStayWithinTheBound() {
    QFETCH(int, index);
    const auto& [id, elements, bytes, bound] = formats[index];
    for (const double scale : {1.0, 1e-2, 1e3}) {
      const at::Tensor weight = (randomMatrix(64, 512, 21) * scale).to(at::kBFloat16);
      const at::Tensor error = (unpacked(id, weight) - weight.to(at::kDouble)).abs().view({-1, elements});
      const at::Tensor largest = std::get<0>(weight.to(at::kDouble).abs().view({-1, elements}).max(1, true));
      const double worst = (error / largest).max().item<double>();
      QVERIFY2(worst <= bound, qPrintable(QString("%1 of %2").arg(worst).arg(bound)));
    }
  }

  void moreBitsMeanLessError() {
    const at::Tensor weight = randomMatrix(32, 1024, 22).to(at::kBFloat16);
    double before = 0;
    for (const char* id : {"gguf-q8_0", "gguf-q6_k", "gguf-q5_k", "gguf-q4_k", "gguf-q3_k", "gguf-q2_k"}) {
      const double error = relativeError(unpacked(id, weight), weight);
      QVERIFY2(error > 1.5 * before, id);
      before = error;
    }
    QVERIFY(before < 0.35);
  }

  void zerosStayZeros_data() { addFormats(); }
  void zerosStayZeros() {
    QFETCH(int, index);
    QVERIFY(unpacked(formats[index].id, at::zeros({3, 256})).eq(0).all().item<bool>());
    at::Tensor weight = randomMatrix(1, 512);
    weight.narrow(1, 256, 256).zero_();
    QVERIFY(unpacked(formats[index].id, weight).narrow(1, 256, 256).eq(0).all().item<bool>());
  }

  // Below the smallest fp16 scale everything becomes 0 or one step of it: at most 2^-24 per code.
  void tinyValuesStayTiny_data() { addFormats(); }
  void tinyValuesStayTiny() {
    QFETCH(int, index);
    for (const double scale : {1e-9, 1e-20, 1e-38}) {
      const at::Tensor values = unpacked(formats[index].id, randomMatrix(4, 256) * scale);
      QVERIFY(values.isfinite().all().item<bool>());
      QVERIFY(values.abs().max().item<double>() <= 128 * 0x1p-24);
    }
  }

  void hugeValuesAreRefused_data() { addFormats(); }
  void hugeValuesAreRefused() {
    QFETCH(int, index);
    const Quantizer& q = quantizer(formats[index].id);
    for (const double factor : {1e8, 1e12, 1e30}) {
      at::Tensor weight = randomMatrix(5, 256);
      weight[3] *= factor;
      const QString error = thrown([&] { q.pack(weight); });
      QVERIFY2(error.contains("weight[3]") && error.contains("fp16 scales of ") && error.contains(formats[index].id), qPrintable(error));
    }
  }

  void residentBytesAreThoseOfTheBlocks_data() { addFormats(); }
  void residentBytesAreThoseOfTheBlocks() {
    QFETCH(int, index);
    const auto& [id, elements, bytes, bound] = formats[index];
    const Quantizer& q = quantizer(id);
    for (const auto& [rows, columns] : {std::pair{1, 256}, {7, 512}, {130, 768}}) {
      const auto linear = q.linear(q.pack(randomMatrix(rows, columns)), at::ones({rows}));
      QCOMPARE(linear->bytes(), rows * (columns / elements * bytes) + 2 * rows);
      QCOMPARE(linear->precision(), std::string_view(id));
    }
  }

  void rowsThatDoNotFitAreNamed_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("columns");
    QTest::addColumn<QString>("instead");
    const auto row = [](const char* id, int columns, const char* instead) { QTest::addRow("%s %d", id, columns) << id << columns << instead; };
    row("gguf-q2_k", 64, "gguf-q4_0");
    row("gguf-q3_k", 288, "gguf-q4_0");
    row("gguf-q4_k", 64, "gguf-q5_0");
    row("gguf-q5_k", 3104, "gguf-q5_1");
    row("gguf-q6_k", 32, "gguf-q8_0");
    row("gguf-q4_k", 100, "bf16");
    row("gguf-q8_0", 33, "bf16");
    row("gguf-q4_0", 1, "bf16");
  }
  void rowsThatDoNotFitAreNamed() {
    QFETCH(QString, id);
    QFETCH(int, columns);
    QFETCH(QString, instead);
    const Quantizer& q = quantizer(id.toStdString());
    const auto other = q.precisionFor({8, columns});
    QCOMPARE(QString::fromUtf8(other.data(), static_cast<qsizetype>(other.size())), instead);
    const QString error = thrown([&] { q.pack(randomMatrix(8, columns)); });
    QVERIFY2(error.contains(QString("do not divide %1 inputs; use %2").arg(columns).arg(instead)), qPrintable(error));
    QCOMPARE(q.precisionFor({8, 256}), q.name());
    QCOMPARE(quantizer(other).pack(randomMatrix(8, columns)).precision, std::string(other));
  }

  void layersAroundTheBlocksAreSkipped_data() {
    QTest::addColumn<QString>("layer");
    QTest::addColumn<QString>("precision");
    for (const char* layer : {"x_embedder", "context_embedder", "time_text_embed.timestep_embedder.linear_1", "norm_out.linear", "proj_out"})
      QTest::newRow(layer) << layer << "bf16";
    for (const char* layer : {"transformer_blocks.0.attn.to_q", "transformer_blocks.0.norm1.linear", "single_transformer_blocks.3.proj_out",
                              "single_transformer_blocks.0.norm.linear"})
      QTest::newRow(layer) << layer << "gguf-q4_k";
  }
  void layersAroundTheBlocksAreSkipped() {
    QFETCH(QString, layer);
    QTEST(QString::fromStdString(parsePolicy("gguf-q4_k").precisionOf(layer.toStdString())), "precision");
  }

  void readOnlyTypesAreNotMade() {
    const QString error = thrown([] { ggufQuantizer(GgmlType::IQ4_XS).pack(at::ones({1, 256})); });
    QVERIFY2(error.contains("gguf-iq4_xs can be read"), qPrintable(error));
    QVERIFY(thrown([] { ggufQuantizer(GgmlType::F16); }).contains("F16 is a plain type"));
    QVERIFY(thrown([] { quantizer("gguf-iq4_nl"); }).contains("unknown precision"));
  }

  void foreignBytesMustFitTheShape() {
    const Gguf& q = ggufQuantizer(GgmlType::Q4_0);
    QCOMPARE(q.adopt(at::zeros({36}, at::kByte), {2, 32}).part("").size(1), 18);
    QVERIFY(thrown([&] { q.adopt(at::zeros({35}, at::kByte), {2, 32}); }).contains("35 bytes are no Q4_0 weight of 2 x 32"));
    QVERIFY(thrown([&] { q.adopt(at::zeros({36}, at::kByte), {2, 33}); }).contains("2 x 33"));
  }

  void variantsOfAKernelAgree_data() {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < ggmlTypes.size(); ++i) QTest::newRow(ggmlTypes[i].name.data()) << static_cast<int>(i);
  }
  void variantsOfAKernelAgree() {
    QFETCH(int, index);
    const GgmlTypeInfo& type = ggmlTypes[index];
    std::vector<std::uint8_t> bytes = randomBlocks(type, 64);
    if (type.elements == 1)   // any finite numbers
      packGgml(type.type, randomMatrix(1, 64).const_data_ptr<float>(), 64, bytes.data());
    const auto count = static_cast<std::size_t>(64 * type.elements);
    const auto values = [&](const GgufKernels& kernels) {
      std::vector<float> exact(count), rounded(count);
      std::vector<Bf16> small(count);
      kernels.toFp32(type.type, bytes.data(), static_cast<std::int64_t>(count), exact.data());
      kernels.toRounded(type.type, bytes.data(), static_cast<std::int64_t>(count), rounded.data());
      kernels.toBf16(type.type, bytes.data(), static_cast<std::int64_t>(count), small.data());
      return at::cat({at::tensor(exact).view(at::kInt), at::tensor(rounded).view(at::kInt), at::tensor(std::vector<int>(small.begin(), small.end()))});
    };
    const at::Tensor portable = values(portableGgufKernels());
    const at::Tensor exact = portable.narrow(0, 0, static_cast<std::int64_t>(count)).view(at::kFloat);
    QVERIFY(at::equal(exact.to(at::kBFloat16).to(at::kFloat), portable.narrow(0, exact.numel(), exact.numel()).view(at::kFloat)));
    const at::Tensor small = portable.narrow(0, 2 * exact.numel(), exact.numel()).to(at::kShort).view(at::kBFloat16);
    QVERIFY(at::equal(exact.to(at::kBFloat16), small));
    if (avx2GgufKernels()) QVERIFY(at::equal(values(*avx2GgufKernels()), portable));
    if (!avx512GgufKernels()) QSKIP("this CPU has no AVX-512");
    QVERIFY(at::equal(values(*avx512GgufKernels()), portable));
  }

  // The same weight in the file's bytes gives the same product, whichever path multiplies it.
  void adoptedBytesMultiplyAsPackedOnes() {
    const Gguf& q = ggufQuantizer(GgmlType::Q5_K);
    const at::Tensor weight = randomMatrix(40, 512), x = randomMatrix(3, 512, 4).to(at::kBFloat16);
    const QuantizedTensor packed = q.pack(weight);
    const at::Tensor y = q.linear(q.adopt(packed.part("").clone(), {40, 512}), {})->forward(x);
    QVERIFY(at::equal(y, q.linear(packed, {})->forward(x)));
  }
};

QTEST_GUILESS_MAIN(GgufTest)
#include "gguf_test.moc"
