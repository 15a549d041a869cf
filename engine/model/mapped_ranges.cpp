#include "engine/model/mapped_ranges.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>

namespace quantspot::model {
namespace {

// Never freed, because a handler may be going through the list: who comes next takes one that is free.
struct Range {
  std::atomic<std::uintptr_t> begin = 0, end = 0;   // end 0: free
  std::string path;
  int descriptor = -1;
  Range* next = nullptr;
};

std::atomic<Range*> first = nullptr;
std::mutex mutex;                        // of writers
struct sigaction before;

const Range* rangeOf(std::uintptr_t address) {
  for (const Range* range = first.load(std::memory_order_acquire); range; range = range->next)
    if (address < range->end.load(std::memory_order_acquire) && address >= range->begin.load(std::memory_order_relaxed)) return range;
  return nullptr;
}

// A line that a signal handler may put together: nothing of it is allocated.
class Line {
 public:
  Line& operator<<(const char* text) {
    const std::size_t bytes = std::min(std::strlen(text), sizeof text_ - used_);
    std::memcpy(text_ + used_, text, bytes);
    used_ += bytes;
    return *this;
  }
  Line& operator<<(std::uintmax_t number) {
    char digits[24] = {};
    char* at = digits + sizeof digits - 1;
    do *--at = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    return *this << static_cast<const char*>(at);
  }
  void write() const {
    for (std::size_t done = 0; done < used_;) {
      const ssize_t written = ::write(STDERR_FILENO, text_ + done, used_ - done);
      if (written <= 0 && errno != EINTR) return;
      done += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    }
  }

 private:
  char text_[5000] = {};                 // a path has 4,096 at most
  std::size_t used_ = 0;
};

void tell(const Range& range) {
  const std::uintmax_t bytes = range.end - range.begin;
  struct stat now {};
  Line line;
  line << program_invocation_short_name << ": " << range.path.c_str() << ": ";
  if (::stat(range.path.c_str(), &now) == 0 && static_cast<std::uintmax_t>(now.st_size) < bytes)
    line << "has " << static_cast<std::uintmax_t>(now.st_size) << " bytes now and had " << bytes
         << " when it was opened: it was cut while it was read; bring it back whole and begin again\n";
  else
    line << "cannot be read any more: its disk or network fails, or it was cut while it was read; begin again when it is whole\n";
  line.write();
}

void onBusError(int signal, siginfo_t* info, void*) {
  if (info->si_code > 0)                 // from a memory access, not from kill()
    if (const Range* range = rangeOf(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
      tell(*range);
      ::_exit(1);
    }
  ::sigaction(signal, &before, nullptr);
  ::raise(signal);                       // comes when this returns
}

void handleBusErrors() {
  struct sigaction ours {};
  ours.sa_sigaction = onBusError;
  ours.sa_flags = SA_SIGINFO;
  sigemptyset(&ours.sa_mask);
  ::sigaction(SIGBUS, &ours, &before);
}

Range* freeRange() {
  for (Range* range = first; range; range = range->next)
    if (range->end == 0) return range;
  auto* const made = new Range;
  made->next = first;
  first.store(made, std::memory_order_release);
  return made;
}

Range& knownRange(const void* begin) {
  for (Range* range = first; range; range = range->next)
    if (range->end != 0 && range->begin == reinterpret_cast<std::uintptr_t>(begin)) return *range;
  throw std::logic_error("no file is mapped there");
}

}  // namespace

void rememberMapping(const void* begin, std::size_t bytes, int descriptor, const std::filesystem::path& path) {
  static std::once_flag once;
  std::call_once(once, handleBusErrors);
  const std::lock_guard lock(mutex);
  Range* range = freeRange();
  range->path = path.string();
  range->descriptor = descriptor;
  range->begin = reinterpret_cast<std::uintptr_t>(begin);
  range->end = reinterpret_cast<std::uintptr_t>(begin) + bytes;
}

int descriptorBehind(const void* begin) {
  const std::lock_guard lock(mutex);
  return knownRange(begin).descriptor;
}

int forgetMapping(const void* begin) {
  const std::lock_guard lock(mutex);
  Range& range = knownRange(begin);
  range.end = 0;
  return range.descriptor;
}

}  // namespace quantspot::model
