#include "evaluation/claims.h"

#include "evaluation/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace quantspot::evaluation {
namespace {

namespace fs = std::filesystem;

// Process ids mean something only in one boot of one machine, in one namespace.
std::string machine() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::error_code error;
  return boot + " " + fs::read_symlink("/proc/self/ns/pid", error).string();
}

// Ids are given again: a process is its id and when it began (proc(5), field 22 of stat).
std::string startOf(int pid) {
  std::string line;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), line);
  const auto name = line.rfind(')');
  if (name == std::string::npos) return "";
  std::size_t at = name + 1;
  for (int field = 2; field < 21 && at != std::string::npos; ++field) at = line.find(' ', at + 1);
  return at == std::string::npos ? "" : line.substr(at + 1, line.find(' ', at + 1) - at - 1);
}

struct Owner { std::string machine, start; int pid = 0; };

std::string text(const Owner& owner) { return owner.machine + "\n" + std::to_string(owner.pid) + "\n" + owner.start + "\n"; }

std::optional<Owner> ownerOf(const fs::path& path) {
  std::ifstream in(path);
  Owner owner;
  std::string pid;
  if (!std::getline(in, owner.machine) || !std::getline(in, pid) || !std::getline(in, owner.start)) return std::nullopt;
  owner.pid = std::atoi(pid.c_str());
  return owner;
}

std::optional<double> changedAt(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

// By the clock of the disk's server, which all hosts share: the time that a file gets that is touched now.
double now(const fs::path& folder) {
  const fs::path probe = folder / (".clock." + std::to_string(::getpid()));
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw WriteError("cannot write " + probe.string() + ": " + std::strerror(errno));
  ::futimens(fd, nullptr);
  ::close(fd);
  const double time = changedAt(probe).value_or(0);
  ::unlink(probe.c_str());
  return time;
}

}  // namespace

Claims::Claims(fs::path folder, ClaimOptions options) : folder_(std::move(folder)), options_(options) {
  fs::create_directories(folder_);
  renewer_ = std::jthread([this](const std::stop_token& stop) { renewing(stop); });
}

Claims::~Claims() {
  for (const std::string& key : mine_) ::unlink((folder_ / key).c_str());
}

bool Claims::create(const std::string& key) {
  const int fd = ::open((folder_ / key).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0 && errno == EEXIST) return false;
  if (fd < 0) throw WriteError("cannot write " + (folder_ / key).string() + ": " + std::strerror(errno));
  const std::string owner = text({machine(), startOf(::getpid()), ::getpid()});
  errno = ENOSPC;                        // what a part that was written means
  const bool wrote = ::write(fd, owner.data(), owner.size()) == static_cast<ssize_t>(owner.size());
  const int error = errno;
  ::close(fd);
  if (!wrote) {
    ::unlink((folder_ / key).c_str());   // without a name in it, others would wait for it to expire
    throw WriteError("cannot write " + (folder_ / key).string() + ": " + std::strerror(error));
  }
  const std::lock_guard lock(mutex_);
  mine_.insert(key);
  return true;
}

bool Claims::stale(const fs::path& path) const {
  const auto time = changedAt(path);
  if (!time) return false;               // it is gone: not stale, free
  if (now(folder_) - *time > std::chrono::duration<double>(options_.expire).count()) return true;
  const auto owner = ownerOf(path);      // none yet: it is being written
  return owner && owner->machine == machine() && startOf(owner->pid) != owner->start;
}

bool Claims::take(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    if (mine_.contains(key)) return false;   // another thread of this program
  }
  if (create(key)) return true;
  const fs::path path = folder_ / key;
  if (!stale(path)) return false;
  // Renamed away by one only; then it is a race like any other.
  const fs::path away = folder_ / (".stale." + key + "." + std::to_string(::getpid()));
  if (::rename(path.c_str(), away.c_str()) != 0) return false;
  if (!stale(away)) {                    // somebody was faster, and this is the new owner's
    if (::link(away.c_str(), path.c_str()) == 0) ::unlink(away.c_str());
    return false;
  }
  ::unlink(away.c_str());
  return create(key);
}

void Claims::release(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (mine_.erase(key) > 0) ::unlink((folder_ / key).c_str());
}

bool Claims::held(const std::string& key) const {
  const fs::path path = folder_ / key;
  return fs::exists(path) && !stale(path);
}

std::set<std::string> Claims::of(int pid) const {
  std::set<std::string> keys;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with('.')) continue;
    const auto owner = ownerOf(entry.path());
    if (owner && owner->pid == pid && owner->machine == machine()) keys.insert(entry.path().filename().string());
  }
  return keys;
}

void Claims::renewing(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    changed_.wait_for(lock, stop, options_.renew, [] { return false; });
    for (const std::string& key : mine_) ::utimensat(AT_FDCWD, (folder_ / key).c_str(), nullptr, 0);
  }
}

}  // namespace quantspot::evaluation
