// Large tensors lie in mappings of their own, whatever holes the heap has.
#include "engine/pipeline/memory.h"
#include "engine/pipeline/tensor_memory.h"
#include "tests/real_memory.h"

#include <ATen/ATen.h>
#include <QTest>
#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

using namespace quantspot;

namespace {

constexpr std::int64_t kMib = 1 << 20;

struct Free {
  void operator()(void* block) const { std::free(block); }
};

// A hole of 60 MiB in the heap, whose pages the system has; what is returned pins its end.
std::unique_ptr<void, Free> makeHole() {
  std::vector<std::unique_ptr<void, Free>> blocks;
  for (int i = 0; i < 200; ++i) {
    blocks.emplace_back(std::malloc(300 << 10));
    std::memset(blocks.back().get(), 1, 300 << 10);
  }
  std::unique_ptr<void, Free> last = std::move(blocks.back());
  blocks.clear();
  pipeline::trimHeap();
  return last;
}

at::Tensor bytes(std::int64_t count) { return at::ones({count}, at::kByte); }

}  // namespace

class TensorMemoryTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() {
    pipeline::placeTensors();
    bytes(64 * kMib);                    // what a first tensor brings along
  }

  void aLargeOneGoesBackAtOnce() {
    SKIP_UNDER_SANITIZER();
    const pipeline::TightHeap tight;
    const auto pin = makeHole();
    const std::int64_t before = pipeline::residentBytes();
    {
      const at::Tensor large = bytes(20 * kMib);
      QVERIFY(pipeline::residentBytes() - before > 19 * kMib);
    }
    QVERIFY2(pipeline::residentBytes() - before < kMib, qPrintable(QString::number((pipeline::residentBytes() - before) >> 10)));
  }

  void whereBlocksLieFollowsTheirSize() {
    SKIP_UNDER_SANITIZER();
    const auto pin = makeHole();
    const auto isMapped = [](const at::Tensor& x) { return reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % 4096 == 0; };
    const auto liesInHeap = [&](std::int64_t count) {   // one of three may lie at a page's begin by chance
      const at::Tensor first = bytes(count), second = bytes(count), third = bytes(count);
      return !isMapped(first) || !isMapped(second) || !isMapped(third);
    };
    QVERIFY(liesInHeap(4 * kMib));
    QVERIFY(isMapped(bytes(pipeline::kLooseBlock)));
    const pipeline::TightHeap tight;
    QVERIFY(isMapped(bytes(4 * kMib)) && isMapped(bytes(pipeline::kTightBlock)));
    QVERIFY(liesInHeap(100 << 10));
  }

  void nothingAndRawBlocksAreServed() {
    QCOMPARE(at::empty({0}).const_data_ptr(), nullptr);
    c10::Allocator* const all = c10::GetAllocator(c10::kCPU);
    for (const std::size_t size : {std::size_t{100}, std::size_t{40} << 20}) {
      void* const block = all->raw_allocate(size);
      std::memset(block, 1, size);
      all->raw_deallocate(block);
    }
    void* before = nullptr;              // as torch's own allocator makes them
    QCOMPARE(::posix_memalign(&before, 64, 100), 0);
    all->raw_deallocate(before);
  }

  void whatFindsNoRoomIsSaidInOneLine() {
    SKIP_UNDER_SANITIZER();
    try {
      at::empty({std::int64_t{1} << 46}, at::kByte);
      QFAIL("64 TiB were given");
    } catch (const c10::OutOfMemoryError& error) {
      const std::string line = error.what_without_backtrace();
      QVERIFY2(line == "a tensor of 70368744177664 bytes finds no room", line.c_str());
    }
  }
};

QTEST_GUILESS_MAIN(TensorMemoryTest)
#include "pipeline_tensor_memory_test.moc"
