#include "engine/model/mapped_file.h"

#include "engine/model/folder.h"
#include "engine/model/mapped_ranges.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace quantspot::model {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::uintptr_t pageSize() { return static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)); }

// The kernel maps what it has of a file in windows of this size around a page that is touched: all of them count as resident.
constexpr std::uintptr_t kFaultAround = 64 << 10;

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info {};
  if (file.fd < 0 || ::fstat(file.fd, &info) != 0)
    throw ModelError(fmt::format("{}: cannot be opened: {}", path.string(), std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) throw ModelError(fmt::format("{}: is not a regular file", path.string()));
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;  // mmap refuses an empty range
  void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) throw ModelError(fmt::format("{}: cannot be mapped: {}", path.string(), std::strerror(errno)));
  data_ = static_cast<const std::byte*>(address);
  rememberMapping(data_, size_, std::exchange(file.fd, -1), path_);
}

MappedFile::~MappedFile() {
  if (!data_) return;
  ::close(forgetMapping(data_));
  ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

// Pages that others share come back when they are touched.
void MappedFile::release(std::span<const std::byte> range) const {
  const auto first = reinterpret_cast<std::uintptr_t>(data_), last = first + size_;
  const auto begin = std::max(reinterpret_cast<std::uintptr_t>(range.data()) / kFaultAround * kFaultAround, first);
  const auto end = std::min((reinterpret_cast<std::uintptr_t>(range.data() + range.size()) + kFaultAround - 1) / kFaultAround * kFaultAround, last);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

void MappedFile::willNeed(std::span<const std::byte> range) const {
  if (range.empty()) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(range.data()) / pageSize() * pageSize();
  const auto end = reinterpret_cast<std::uintptr_t>(range.data() + range.size());
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

void MappedFile::copy(std::span<const std::byte> range, std::byte* to) const {
  if (range.empty()) return;
  const int file = descriptorBehind(data_);
  const auto from = static_cast<std::size_t>(range.data() - data_);
  for (std::size_t done = 0; done < range.size();) {
    const ssize_t read = ::pread(file, to + done, range.size() - done, static_cast<off_t>(from + done));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) throw ModelError(fmt::format("{}: cannot be read any more: {}", path_.string(), std::strerror(errno)));
    if (read == 0)
      throw ModelError(fmt::format("{}: ends after {} bytes and had {} when it was opened: it was cut while it was read; bring it back whole and "
                                   "begin again", path_.string(), from + done, size_));
    done += static_cast<std::size_t>(read);
  }
}

}  // namespace quantspot::model
