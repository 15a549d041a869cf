#include "engine/pipeline/whole_folder.h"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what) { throw std::runtime_error(fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno))); }

void sync(const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = file >= 0 && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  errno = error;
  if (!done) fail(path, "cannot be brought to the disk");
}

// Files before the folders that name them.
void syncTree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    sync(entry.path(), entry.is_directory() ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  sync(folder, O_RDONLY | O_DIRECTORY);
}

fs::path parentOf(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

fs::path withoutSlash(fs::path path) {
  path = path.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

std::string sizeText(std::uintmax_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? fmt::format("{:.1f} MiB", mib) : fmt::format("{:.2f} GiB", mib / 1024);
}

}  // namespace

WholeFolder::WholeFolder(const fs::path& out, bool replaces) : out_(withoutSlash(out)), partial_(out_.string() + ".part"), replaces_(replaces) {
  if (fs::exists(fs::symlink_status(out_)) && !replaces) throw std::invalid_argument(out_.string() + " is already there; give a path that is not");
  if (fs::exists(fs::symlink_status(out_)) && !fs::is_directory(fs::symlink_status(out_))) throw std::invalid_argument(out_.string() + " is no folder");
  if (!fs::is_directory(parentOf(out_))) throw std::invalid_argument(out_.string() + ": the folder that it should be in is not there");
  fs::create_directory(partial_);
  lock_ = ::open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) fail(partial_, "cannot be opened");
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw std::runtime_error(partial_.string() + ": another export is writing there; wait for it or choose another folder");
  }
  for (const auto& left : fs::directory_iterator(partial_)) fs::remove_all(left.path());   // of a run that was killed
}

WholeFolder::~WholeFolder() {
  std::error_code ignored;
  if (!partial_.empty()) fs::remove_all(partial_, ignored);
  ::close(lock_);
}

void WholeFolder::publish() {
  syncTree(partial_);
  if (fs::exists(out_) && !replaces_) throw std::runtime_error(out_.string() + ": somebody else made it meanwhile");
  if (!fs::exists(out_)) {
    fs::rename(partial_, out_);
  } else if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, out_.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(partial_);            // now the one that was there
  } else {
    fs::remove_all(out_);
    fs::rename(partial_, out_);
  }
  partial_.clear();
  sync(parentOf(out_), O_RDONLY | O_DIRECTORY);
}

void checkRoom(const fs::path& folder, std::int64_t bytes) {
  fs::path there = fs::absolute(folder);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  const std::uintmax_t available = fs::space(there).available;
  if (bytes > 0 && available < static_cast<std::uintmax_t>(bytes))
    throw std::runtime_error(fmt::format("{}: {} are to be written, {} are free; make room or choose another disk", there.string(),
                                         sizeText(static_cast<std::uintmax_t>(bytes)), sizeText(available)));
}

}  // namespace quantspot::pipeline
