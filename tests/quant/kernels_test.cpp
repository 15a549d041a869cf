// Every variant of a kernel gives the bits of the portable one, wherever a range begins and ends.
#include "quant/bnb_4bit.h"
#include "quant/kernels/kernels.h"
#include "quant/kernels/rounding.h"
#include "tests/quant/support.h"

#include <QTest>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>

using namespace quantspot::quant;

namespace {

struct Input {
  std::vector<std::uint8_t> codes;
  std::vector<float> absmax;
  std::vector<Bf16> table;
};

Input randomInput(std::size_t count) {
  std::mt19937 random(7);
  Input in{std::vector<std::uint8_t>(count), std::vector<float>(count), std::vector<Bf16>(256)};
  for (auto& code : in.codes) code = static_cast<std::uint8_t>(random());
  for (auto& scale : in.absmax) scale = std::ldexp(std::uniform_real_distribution<float>(0, 1)(random), static_cast<int>(random() % 200) - 100);
  for (std::size_t i = 0; i < 256; ++i) in.table[i] = static_cast<Bf16>(i < 128 ? random() & 0x7fff : in.table[i - 128] | 0x8000);
  return in;
}

constexpr std::pair<int, int> ranges[] = {{0, 0}, {0, 1}, {0, 64}, {1, 63}, {1, 64}, {63, 2}, {64, 640}, {17, 1001}, {65, 31}, {128, 130}};

using Kernel = const Kernels*;

void addVariants() {
  QTest::addColumn<Kernel>("variant");
  QTest::newRow("AVX2") << avx2Kernels();
  QTest::newRow("AVX-512") << avx512Kernels();
}

// Both kernels fill an array of their own; the bytes are compared.
template <class To, class Fill>
bool agree(std::int64_t count, Fill&& fill, Kernel variant) {
  std::vector<To> a(count), b(count);
  fill(portableKernels(), a.data());
  fill(*variant, b.data());
  return count == 0 || std::memcmp(a.data(), b.data(), count * sizeof(To)) == 0;
}

}  // namespace
Q_DECLARE_METATYPE(const quantspot::quant::Kernels*)

#define FETCH_VARIANT()       \
  QFETCH(Kernel, variant);    \
  if (!variant) QSKIP("this CPU lacks the instructions")

class KernelsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void bytesAgree_data() { addVariants(); }
  void bytesAgree() {
    FETCH_VARIANT();
    const Input in = randomInput(2048);
    for (const auto& [first, count] : ranges) {
      const auto* codes = in.codes.data() + first;
      QVERIFY(agree<Bf16>(count, [&, n = count](const Kernels& k, Bf16* to) { k.bytesToBf16(codes, n, in.table.data(), to); }, variant));
      QVERIFY(agree<float>(count, [&, n = count](const Kernels& k, float* to) { k.bytesToFp32(codes, n, in.table.data(), to); }, variant));
    }
  }

  void nibblesAgree_data() { addVariants(); }
  void nibblesAgree() {
    FETCH_VARIANT();
    const Input in = randomInput(2048);
    const float *values = nf4Map().values.data(), *absmax = in.absmax.data();
    for (const auto& [first, count] : ranges) {
      const auto narrow = [&, at = first, n = count](const Kernels& k, Bf16* to) { k.nibblesToBf16(in.codes.data(), at, n, values, absmax, to); };
      const auto wide = [&, at = first, n = count](const Kernels& k, float* to) { k.nibblesToFp32(in.codes.data(), at, n, values, absmax, to); };
      QVERIFY(agree<Bf16>(count, narrow, variant));
      QVERIFY(agree<float>(count, wide, variant));
    }
  }

  void signedBytesAgree_data() { addVariants(); }
  void signedBytesAgree() {
    FETCH_VARIANT();
    const Input in = randomInput(2048);
    const auto* codes = reinterpret_cast<const std::int8_t*>(in.codes.data());
    for (const auto& [first, count] : ranges) {
      QVERIFY(agree<Bf16>(count, [&, at = first, n = count](const Kernels& k, Bf16* to) { k.signedToBf16(codes + at, n, to); }, variant));
      QVERIFY(agree<float>(count, [&, at = first, n = count](const Kernels& k, float* to) { k.signedToFp32(codes + at, n, to); }, variant));
    }
    std::array<std::int8_t, 3> ends{-128, 0, 127};
    std::array<float, 3> numbers{};
    variant->signedToFp32(ends.data(), 3, numbers.data());
    QVERIFY((numbers == std::array<float, 3>{-128, 0, 127}));
  }

  void scaledRowsAgree_data() { addVariants(); }
  void scaledRowsAgree() {
    FETCH_VARIANT();
    const Input in = randomInput(2048);
    const auto* codes = reinterpret_cast<const std::int8_t*>(in.codes.data());
    for (const float scale : {0.0f, 0.0123f, 1e-38f, 1e36f})
      for (const auto& [first, count] : ranges) {
        const auto narrow = [&, at = first, n = count](const Kernels& k, Bf16* to) { k.signedToBf16(codes + at, n, to), k.scaleBf16(to, n, scale); };
        const auto wide = [&, at = first, n = count](const Kernels& k, float* to) { k.signedToFp32(codes + at, n, to), k.scaleFp32(to, n, scale); };
        QVERIFY(agree<Bf16>(count, narrow, variant));
        QVERIFY(agree<float>(count, wide, variant));
      }
  }

  void fieldsAgree_data() { addVariants(); }
  void fieldsAgree() {
    FETCH_VARIANT();
    const Input in = randomInput(2048);
    const float* table = in.absmax.data();
    for (const auto& [shift, mask] : {std::pair{0, 15}, {4, 15}, {0, 3}, {2, 3}, {6, 3}})
      for (const auto& [first, count] : ranges) {
        const auto narrow = [&, at = first, n = count, by = shift, with = mask](const Kernels& k, Bf16* to) {
          k.fieldsToBf16(in.codes.data() + at, n, by, with, table, to);
        };
        const auto wide = [&, at = first, n = count, by = shift, with = mask](const Kernels& k, float* to) {
          k.fieldsToFp32(in.codes.data() + at, n, by, with, table, to);
        };
        QVERIFY(agree<Bf16>(count, narrow, variant));
        QVERIFY(agree<float>(count, wide, variant));
      }
  }

  void splitsAgree_data() { addVariants(); }
  void splitsAgree() {
    FETCH_VARIANT();
    const at::Tensor values = test::randomMatrix(1, 1000, 6).flatten();
    for (const auto& [first, count] : ranges) {
      const auto* from = values.const_data_ptr<float>() + first % 128;
      const std::int64_t n = std::min(count, 800);
      const auto both = [&](const Kernels& k, Bf16* to) { k.split(from, n, to, to + n); };
      QVERIFY(agree<Bf16>(2 * n, both, variant));
    }
    std::vector<Bf16> high(1000), low(1000);
    variant->split(values.const_data_ptr<float>(), 1000, high.data(), low.data());
    for (int i = 0; i < 1000; ++i) {
      const float value = values.const_data_ptr<float>()[i];
      QVERIFY(std::abs(value - widen(high[i]) - widen(low[i])) <= std::abs(value) * 0x1p-17f);
    }
  }

  void packedBlocksAgree_data() { addVariants(); }
  void packedBlocksAgree() {
    FETCH_VARIANT();
    const at::Tensor weight = test::randomMatrix(40, 64).to(at::kBFloat16);
    const FourBitMap& map = nf4Map();
    for (std::int64_t row = 0; row < 40; ++row)
      for (const std::int64_t count : {64, 63, 10, 1})
        for (const bool whole : {true, false}) {
          const auto* from = static_cast<const Bf16*>(weight.const_data_ptr()) + row * 64;
          const auto pack = [&](const Kernels& k, std::uint8_t* to) { k.packNibbles(from, count, 1.7f, whole, map.bounds.data(), map.order.data(), to); };
          QVERIFY(agree<std::uint8_t>(32, pack, variant));
        }
  }
};

QTEST_GUILESS_MAIN(KernelsTest)
#include "kernels_test.moc"
