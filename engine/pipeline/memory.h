// Resident memory of this process, from /proc.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

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

// Gives freed heap pages back to the system.
void trimHeap();

// While it lives, large blocks are given back as soon as they are freed. Without it the allocator keeps some of every size that passes,
// and loading ends well above what it needs. Not for computing: there it pays to reuse them.
class TightHeap {
 public:
  TightHeap();
  ~TightHeap();
  TightHeap(const TightHeap&) = delete;
  TightHeap& operator=(const TightHeap&) = delete;
};

}  // namespace quantspot::pipeline
