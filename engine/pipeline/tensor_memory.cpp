#include "engine/pipeline/tensor_memory.h"

#include "engine/pipeline/memory.h"
#include "engine/protocol/address_space.h"

#include <c10/core/Allocator.h>
#include <c10/util/Exception.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <unordered_map>

namespace quantspot::pipeline {
namespace {

constexpr std::size_t kAlignment = 64;   // as torch's own blocks
std::atomic<std::size_t> whole = kLooseBlock;

// The mapped blocks; everything else that is freed here is malloc's, also what torch's own allocator made before.
class Mapped {
 public:
  // Null when the system gives none.
  void* take(std::size_t bytes) {
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return nullptr;
    const std::lock_guard lock(mutex_);
    try {
      sizes_.emplace(at, bytes);
    } catch (...) {
      ::munmap(at, bytes);
      throw;
    }
    return at;
  }
  bool release(void* at) {
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    if (reinterpret_cast<std::uintptr_t>(at) % page != 0) return false;
    std::size_t bytes = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = sizes_.find(at);
      if (found == sizes_.end()) return false;
      bytes = found->second;
      sizes_.erase(found);
    }
    ::munmap(at, bytes);
    return true;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, std::size_t> sizes_;
};

Mapped& mapped() {
  static auto* const all = new Mapped;   // tensors of statics may go after everything else
  return *all;
}

void release(void* at) {
  if (at && !mapped().release(at)) std::free(at);
}

// Some libraries do not look whether their own small blocks were there: oneDNN copies a description of its product through a null pointer, glibc
// aborts. So no tensor takes the last of a limited address space (measured: docs/memory-model.md).
constexpr std::int64_t kLeftToLibraries = 48 << 20;

bool leavesRoom(std::size_t bytes) {
  static const bool limited = protocol::addressSpace().has_value();
  if (!limited) return true;
  const auto space = protocol::addressSpace();
  return !space || space->left() - kLeftToLibraries >= static_cast<std::int64_t>(bytes);
}

class TensorMemory final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* at = nullptr;
    const bool room = leavesRoom(bytes);
    if (room && bytes >= wholeBlock()) at = mapped().take(bytes);
    if (room && !at && bytes > 0 && ::posix_memalign(&at, kAlignment, bytes) != 0) at = nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, at || bytes == 0, "a tensor of ", bytes, " bytes finds no room");
    return {at, at, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }
};

}  // namespace

void placeTensors() {
  static TensorMemory memory;
  static const bool once = (c10::SetAllocator(c10::kCPU, &memory, 255), true);
  (void)once;
}

std::size_t wholeBlock() { return whole; }
void setWholeBlock(std::size_t bytes) { whole = bytes; }

}  // namespace quantspot::pipeline
