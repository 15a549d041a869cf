// The CUDA kernels themselves, barriers and shuffles included, run by threads of the CPU.
#include "tests/quant/cuda_threads.h"

#include "quant/kernels/expand_kernel.cuh"
#include "quant/kernels/few_kernel.cuh"
#include "quant/kernels/fused_kernel.cuh"
#include "quant/kernels/int8_kernel.cuh"
#include "tests/quant/device_weights.h"
#include "tests/quant/emulate.h"

#include <QTest>

// The tensor cores' instruction: all lanes of a warp give their operands, each gets its four results.
void quantspot::quant::fused::multiplyAdd(const std::uint32_t (&x)[4], const std::uint32_t (&weight)[2], float (&sums)[4]) {
  struct Operands {
    std::uint32_t x[4], weight[2];
  };
  Operands mine;
  std::copy_n(x, 4, mine.x);
  std::copy_n(weight, 2, mine.weight);
  const std::vector<Operands> warp = test::currentBlock->exchange(mine);
  std::vector<Fragments> fragments(lanes);
  for (int lane = 0; lane < lanes; ++lane) {
    std::copy_n(warp[lane].x, 4, fragments[lane].x[0]);
    std::copy_n(warp[lane].weight, 2, fragments[lane].weight[0]);
  }
  test::WarpProduct{fragments.data()}.addTo(0, 0, static_cast<int>(threadIdx.x % lanes), sums);
}

using namespace quantspot::quant;
using namespace quantspot::quant::test;

namespace {

template <class Body>
void withKernelOf(const DeviceWeight& weight, Body&& body) {
  if (!withPlainDecoder(weight, body)) withBlockDecoder(weight.ggml, body);
}

struct Product {
  Described d;
  at::Tensor x, got, wanted;
  FewJob job, serial;

  Product(const char* id, std::int64_t count, std::int64_t rows, std::int64_t columns)
      : d(described(id, rows, columns)), x(randomMatrix(count, columns, 6).to(at::kBFloat16)), got(at::full({count, rows}, 5, at::kFloat)),
        wanted(at::full({count, rows}, 6, at::kFloat)), job{static_cast<const Bf16*>(x.const_data_ptr()), count, got.mutable_data_ptr<float>()},
        serial{job.x, count, wanted.mutable_data_ptr<float>()} {}
};

template <int Most>
void runFew(const Product& p) {
  withKernelOf(p.d.weight, [&]<class Of>() {
    runBlocks(fewBlocks<Most>(p.d.weight.rows), 1, fewWarps * lanes, [&] { fewKernel<Of, Most>(p.d.weight, p.job); });
  });
}

}  // namespace

class CudaKernelsTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void expandWritesEveryRow() {
    for (const char* id : {"bnb-nf4-dq", "torchao-int8wo", "gguf-iq4_xs"}) {
      const Described d = described(id, 3, 1280);
      const at::Tensor to = at::empty({3, 1280}, at::kBFloat16);
      const ExpandJob job{0, 3, DeviceType::Bf16, to.mutable_data_ptr()};
      withKernelOf(d.weight, [&]<class Of>() { runBlocks(3, 1, expandThreads, [&] { expandKernel<Of>(d.weight, job); }); });
      QVERIFY2(at::equal(to, d.unpacked), id);
    }
  }

  void fewRowsAddUpAcrossLanes() {
    for (const auto& [id, count] : {std::pair{"bnb-fp4", 1}, {"quanto-int4", 3}, {"gguf-q5_k", 9}}) {
      const Product p(id, count, 18, 512);
      if (count <= 1) runFew<1>(p);
      else if (count <= 4) runFew<4>(p);
      else runFew<16>(p);
      emulateFew(p.d.weight, p.serial);
      QVERIFY2(at::equal(p.got, p.wanted), id);
    }
  }

  void tensorCoreTilesFollowOneAnother() {
    struct Case {
      const char* id;
      std::int64_t rows, columns;
    };
    for (const auto& [id, rows, columns] : {Case{"bnb-nf4", 20, 72}, {"torchao-int8wo", 133, 8}}) {  // three steps, two blocks
      const Product p(id, 20, rows, columns);
      withPlainDecoder(p.d.weight, [&]<class Of>() {
        runBlocks(fused::tilesOf(rows), fused::tilesOf(20), fused::threads, [&] { fused::fusedKernel<Of>(p.d.weight, p.job); });
      });
      emulateFused(p.d.weight, p.serial);
      QVERIFY2(at::equal(p.got, p.wanted), id);
    }
  }

  void rowsFindTheirScalesTogether() {
    const at::Tensor x = randomMatrix(3, 700, 4).to(at::kBFloat16), codes = at::empty({3, 700}, at::kByte), wantedCodes = at::empty_like(codes);
    const at::Tensor scales = at::empty({3}, at::kFloat), wantedScales = at::empty_like(scales);
    RowsJob job{.rule = RowRule::TorchAo, .x = x.const_data_ptr(), .rows = 3, .columns = 700, .scales = scales.mutable_data_ptr<float>(),
                .codes = codes.mutable_data_ptr<std::uint8_t>()};
    runBlocks(3, 1, rowThreads, [&] { rowScalesKernel(job); });
    runBlocks(3, 1, rowThreads, [&] { rowCodesKernel(job); });
    job.scales = wantedScales.mutable_data_ptr<float>();
    job.codes = wantedCodes.mutable_data_ptr<std::uint8_t>();
    emulateRowScales(job);
    emulateRowCodes(job);
    QVERIFY(at::equal(scales, wantedScales));
    QVERIFY(at::equal(codes, wantedCodes));
  }

  void integerSumsAreExactAndFinished() {
    at::Generator generator = at::detail::createCPUGenerator(3);
    const auto random = [&](std::int64_t rows) { return at::randint(-128, 128, {rows, 150}, generator, at::kChar); };
    const at::Tensor codes = random(35), weight = random(21);
    const at::Tensor sums = at::full({35, 21}, 7, at::kInt), y = at::empty({35, 21}, at::kBFloat16), wanted = at::empty_like(y);
    const Int8SumsJob job{codes.const_data_ptr<std::int8_t>(), weight.const_data_ptr<std::int8_t>(), 35, 21, 150,
                          sums.mutable_data_ptr<std::int32_t>()};
    runBlocks(int8BlocksAcross(21), 2, int8Warps * lanes, [&] { int8SumsKernel(job); });  // fewer blocks than rows of tiles: they go on
    QVERIFY(at::equal(sums, at::matmul(codes.to(at::kInt), weight.to(at::kInt).t())));

    const at::Tensor scales = at::rand({35}, generator, at::kFloat), columnScales = at::rand({21}, generator, at::kFloat);
    FinishJob finish{Int8Finish::TorchAo, sums.const_data_ptr<std::int32_t>(), scales.const_data_ptr<float>(), 1,
                     columnScales.const_data_ptr<float>(), nullptr, 35, 21, y.mutable_data_ptr()};
    runBlocks(35, 1, rowThreads, [&] { finishKernel(finish); });
    finish.to = wanted.mutable_data_ptr();
    emulateFinish(finish);
    QVERIFY(at::equal(y, wanted));
  }
};

QTEST_GUILESS_MAIN(CudaKernelsTest)
#include "cuda_kernels_test.moc"
