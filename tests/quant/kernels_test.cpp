// Every variant of a kernel gives the bits of the portable one, wherever a range begins and ends.
#include "quant/bnb_4bit.h"
#include "quant/kernels/kernels.h"
#include "tests/quant/support.h"

#include <QTest>

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

}  // namespace

class KernelsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    if (!avx512Kernels()) QSKIP("this CPU has no AVX-512: only the portable kernels run here");
  }

  void bytesAgree() {
    const Input in = randomInput(2048);
    for (const auto& [first, count] : ranges) {
      std::vector<Bf16> a(count), b(count);
      portableKernels().bytesToBf16(in.codes.data() + first, count, in.table.data(), a.data());
      avx512Kernels()->bytesToBf16(in.codes.data() + first, count, in.table.data(), b.data());
      QVERIFY(a == b);
      std::vector<float> c(count), d(count);
      portableKernels().bytesToFp32(in.codes.data() + first, count, in.table.data(), c.data());
      avx512Kernels()->bytesToFp32(in.codes.data() + first, count, in.table.data(), d.data());
      QVERIFY(count == 0 || std::memcmp(c.data(), d.data(), count * sizeof(float)) == 0);
    }
  }

  void nibblesAgree() {
    const Input in = randomInput(2048);
    const float* values = nf4Map().values.data();
    for (const auto& [first, count] : ranges) {
      std::vector<Bf16> a(count), b(count);
      portableKernels().nibblesToBf16(in.codes.data(), first, count, values, in.absmax.data(), a.data());
      avx512Kernels()->nibblesToBf16(in.codes.data(), first, count, values, in.absmax.data(), b.data());
      QVERIFY(a == b);
      std::vector<float> c(count), d(count);
      portableKernels().nibblesToFp32(in.codes.data(), first, count, values, in.absmax.data(), c.data());
      avx512Kernels()->nibblesToFp32(in.codes.data(), first, count, values, in.absmax.data(), d.data());
      QVERIFY(c == d);
    }
  }

  void packedBlocksAgree() {
    const at::Tensor weight = test::randomMatrix(40, 64).to(at::kBFloat16);
    const FourBitMap& map = nf4Map();
    for (std::int64_t row = 0; row < 40; ++row)
      for (const std::int64_t count : {64, 63, 10, 1}) {
        const auto* from = static_cast<const Bf16*>(weight.const_data_ptr()) + row * 64;
        std::array<std::uint8_t, 32> a{}, b{};
        for (const bool whole : {true, false}) {
          portableKernels().packNibbles(from, count, 1.7f, whole, map.bounds.data(), map.order.data(), a.data());
          avx512Kernels()->packNibbles(from, count, 1.7f, whole, map.bounds.data(), map.order.data(), b.data());
          QVERIFY(a == b);
        }
      }
  }
};

QTEST_GUILESS_MAIN(KernelsTest)
#include "kernels_test.moc"
