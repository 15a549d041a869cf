// Resident memory of this process, from /proc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace quantspot::pipeline {

std::int64_t residentBytes();   // 0 where /proc does not tell

// The highest resident memory since reset(). The kernel's own high-water mark where it can be reset, else a thread that
// looks every few milliseconds.
class PeakMemory {
 public:
  PeakMemory();
  void reset();
  std::int64_t peak() const;

 private:
  void watch(const std::stop_token& stop);

  bool kernel_ = false;
  std::atomic<std::int64_t> seen_ = 0;
  std::jthread watcher_;          // last: it uses the others
};

// Resident memory while it lives, in at most 256 points: when there are more, every other one is dropped and the next are taken half as often.
class MemoryOverTime {
 public:
  MemoryOverTime();
  MemoryOverTime(MemoryOverTime&&) = delete;
  std::vector<std::pair<double, std::int64_t>> points() const;   // seconds since it began, bytes; with one of now

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  void watch(const std::stop_token& stop);

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::vector<std::pair<double, std::int64_t>> points_;
  std::jthread watcher_;          // last: it uses the others
};

// Gives freed heap pages back to the system.
void trimHeap();

// Blocks from this size on are taken from the system one by one, and given back when they are freed: while a TightHeap lives, and else.
inline constexpr std::int64_t kTightBlock = 512 << 10, kLooseBlock = 32 << 20;

// While it lives, large blocks are given back as soon as they are freed. Without it the allocator keeps some of every size that passes, and what a
// phase takes depends on the order of its allocations (threads!) and ends well above what it needs. Each new block is a page fault per 4 KiB: for
// loading, for decoding (once per picture) and for offloaded layers, not for the steps of a denoiser that stays. May nest.
class TightHeap {
 public:
  TightHeap();
  ~TightHeap();
  TightHeap(const TightHeap&) = delete;
  TightHeap& operator=(const TightHeap&) = delete;
};

}  // namespace quantspot::pipeline
