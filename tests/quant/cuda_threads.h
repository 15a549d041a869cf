// Runs __global__ functions on the CPU as they are: a thread for each thread of a block, one block after the other. To be included
// before a *_kernel.cuh. Threads that do not meet at a barrier hang, as they would on a device.
#pragma once

#include <barrier>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __shared__ static  // one block at a time
#define __grid_constant__
#define __launch_bounds__(threads)

struct DeviceIndex {
  unsigned x = 0, y = 0;
};
inline thread_local DeviceIndex threadIdx, blockIdx;
inline DeviceIndex gridDim;

namespace quantspot::quant::test {

class BlockOfThreads {
 public:
  explicit BlockOfThreads(int threads) : all_(threads), slots_(threads) {
    for (int warp = 0; warp < threads / 32; ++warp) warps_.push_back(std::make_unique<std::barrier<>>(32));
  }
  void meet() { all_.arrive_and_wait(); }

  // What every lane of the caller's warp gave.
  template <class Value>
  std::vector<Value> exchange(const Value& mine) {
    static_assert(sizeof(Value) <= sizeof(Slot));
    const unsigned warp = threadIdx.x / 32;
    std::memcpy(slots_[threadIdx.x].bytes, &mine, sizeof mine);
    warps_[warp]->arrive_and_wait();
    std::vector<Value> values(32);
    for (unsigned lane = 0; lane < 32; ++lane) std::memcpy(&values[lane], slots_[warp * 32 + lane].bytes, sizeof mine);
    warps_[warp]->arrive_and_wait();
    return values;
  }

 private:
  struct Slot {
    char bytes[32];
  };
  std::barrier<> all_;
  std::vector<std::unique_ptr<std::barrier<>>> warps_;
  std::vector<Slot> slots_;
};

inline thread_local BlockOfThreads* currentBlock = nullptr;

// kernel() in every thread of every block.
template <class Kernel>
void runBlocks(std::int64_t across, std::int64_t down, int threads, Kernel&& kernel) {
  gridDim = {static_cast<unsigned>(across), static_cast<unsigned>(down)};
  for (unsigned y = 0; y < gridDim.y; ++y)
    for (unsigned x = 0; x < gridDim.x; ++x) {
      BlockOfThreads block(threads);
      std::vector<std::jthread> running;
      for (int thread = 0; thread < threads; ++thread)
        running.emplace_back([&, thread, x, y] {
          threadIdx = {static_cast<unsigned>(thread), 0};
          blockIdx = {x, y};
          currentBlock = &block;
          kernel();
        });
    }
}

}  // namespace quantspot::quant::test

inline void __syncthreads() { quantspot::quant::test::currentBlock->meet(); }

inline float __shfl_xor_sync(unsigned, float value, int step) {
  return quantspot::quant::test::currentBlock->exchange(value)[(threadIdx.x % 32) ^ static_cast<unsigned>(step)];
}

inline std::uint32_t __reduce_max_sync(unsigned, std::uint32_t value) {
  std::uint32_t largest = 0;
  for (const std::uint32_t one : quantspot::quant::test::currentBlock->exchange(value)) largest = one > largest ? one : largest;
  return largest;
}

inline std::int32_t __reduce_add_sync(unsigned, std::int32_t value) {
  std::int32_t sum = 0;
  for (const std::int32_t one : quantspot::quant::test::currentBlock->exchange(value)) sum += one;
  return sum;
}
