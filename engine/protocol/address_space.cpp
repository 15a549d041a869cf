#include "engine/protocol/address_space.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <limits>

namespace quantspot::protocol {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

// A line of system calls alone.
class Line {
 public:
  Line& operator<<(const char* text) {
    for (; *text && size_ < text_.size(); ++text) text_[size_++] = *text;
    return *this;
  }
  Line& operator<<(std::int64_t number) {
    std::array<char, 24> digits{};
    std::size_t at = digits.size() - 1;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while ((number /= 10) > 0);
    return *this << &digits[at];
  }
  void print() const { [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_.data(), size_); }

 private:
  std::array<char, 300> text_{};
  std::size_t size_ = 0;
};

// The first number of /proc/self/statm: pages.
std::int64_t takenBytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::array<char, 64> text{};
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  std::int64_t pages = 0;
  for (ssize_t i = 0; i < size && text[static_cast<std::size_t>(i)] >= '0'; ++i) pages = 10 * pages + (text[static_cast<std::size_t>(i)] - '0');
  return pages * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

std::optional<AddressSpace> addressSpace() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur > std::numeric_limits<std::int64_t>::max()) return {};   // RLIM_INFINITY is the highest
  const std::int64_t taken = takenBytes();
  if (taken == 0) return {};
  return AddressSpace{static_cast<std::int64_t>(limit.rlim_cur), taken};
}

std::string addressSpaceText() {
  const auto space = addressSpace();
  return space ? "the limit of address space is " + std::to_string(space->limit / kMiB) + " MiB (ulimit -v)" : "";
}

void endWithoutAddressSpace(const char* program, std::int64_t bytes) {
  const auto space = addressSpace();
  if (!space || space->left() >= bytes) return;
  Line line;
  line << program << ": needs " << (space->taken + bytes + kMiB - 1) / kMiB << " MiB of address space to start, the limit is " << space->limit / kMiB
       << " MiB: raise it (ulimit -v)\n";
  line.print();
  ::_exit(1);
}

}  // namespace quantspot::protocol
