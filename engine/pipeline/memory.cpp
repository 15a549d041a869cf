#include "engine/pipeline/memory.h"

#include "engine/pipeline/tensor_memory.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>

namespace quantspot::pipeline {
namespace {

std::int64_t statusBytes(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoll(line.substr(key.size())) * 1024;
  return 0;
}

bool resetHighWaterMark() {
  std::ofstream out("/proc/self/clear_refs");
  return out && out << "5" << std::flush && statusBytes("VmHWM:") > 0;
}

}  // namespace

std::int64_t residentBytes() { return statusBytes("VmRSS:"); }

PeakMemory::PeakMemory() : kernel_(resetHighWaterMark()) {
  if (!kernel_) watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void PeakMemory::reset() {
  if (kernel_) resetHighWaterMark();
  seen_ = residentBytes();
}

std::int64_t PeakMemory::peak() const { return kernel_ ? statusBytes("VmHWM:") : std::max(seen_.load(), residentBytes()); }

void PeakMemory::watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    // Another phase may have reset the mark since the last look; only ever raise it.
    const std::int64_t now = residentBytes();
    std::int64_t seen = seen_;
    while (now > seen && !seen_.compare_exchange_weak(seen, now)) {}
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
}

MemoryOverTime::MemoryOverTime() : points_{{0.0, residentBytes()}}, watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

std::vector<std::pair<double, std::int64_t>> MemoryOverTime::points() const {
  const std::lock_guard lock(mutex_);
  auto all = points_;
  all.emplace_back(seconds(), residentBytes());
  return all;
}

void MemoryOverTime::watch(const std::stop_token& stop) {
  constexpr std::size_t kMost = 255;
  for (auto pause = std::chrono::milliseconds(5); !stop.stop_requested();) {
    std::this_thread::sleep_for(pause);
    const std::lock_guard lock(mutex_);
    points_.emplace_back(seconds(), residentBytes());
    if (points_.size() < kMost) continue;
    for (std::size_t i = 0; 2 * i < points_.size(); ++i) points_[i] = points_[2 * i];
    points_.resize((points_.size() + 1) / 2);
    pause *= 2;
  }
}

void trimHeap() { malloc_trim(0); }

namespace {
std::atomic<int> tight = 0;              // how many live; in several threads, too

// glibc maps blocks above this size on their own, where it has no hole for them. It raises the size by itself, to at most 32 MiB, until it is told one.
void setMapped(std::int64_t from) {
  ::mallopt(M_MMAP_THRESHOLD, static_cast<int>(from));
  setWholeBlock(static_cast<std::size_t>(from));
}

}  // namespace

TightHeap::TightHeap() {
  placeTensors();
  if (tight++ == 0) setMapped(kTightBlock);
}

TightHeap::~TightHeap() {
  if (--tight == 0) setMapped(kLooseBlock);
  trimHeap();
}

}  // namespace quantspot::pipeline
