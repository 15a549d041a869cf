#include "evaluation/files.h"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

namespace fs = std::filesystem;

struct Descriptor {
  int fd = -1;
  ~Descriptor() { if (fd >= 0) ::close(fd); }
};

[[noreturn]] void cannotWrite(const fs::path& path) { throw WriteError("cannot write " + path.string() + ": " + std::strerror(errno)); }

void writeAll(int fd, std::span<const std::uint8_t> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) cannotWrite(path);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
}

// Other hosts may write here, too: process ids alone are not unique.
fs::path besides(const fs::path& path) {
  static std::atomic<unsigned> counter = 0;
  char host[65] = {};
  ::gethostname(host, 64);
  return path.parent_path() / fmt::format(".{}.{}.{}.{}.tmp", path.filename().string(), host, ::getpid(), counter++);
}

}  // namespace

Bytes readBytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) throw std::runtime_error("cannot read " + path.string() + ": " + std::strerror(errno));
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::string readText(const fs::path& path) {
  const Bytes bytes = readBytes(path);
  return {bytes.begin(), bytes.end()};
}

void writeWhole(const fs::path& path, std::span<const std::uint8_t> bytes) {
  std::error_code error;
  if (!path.parent_path().empty()) fs::create_directories(path.parent_path(), error);
  if (error) throw WriteError("cannot make " + path.parent_path().string() + ": " + error.message());
  const fs::path temporary = besides(path);
  try {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (file.fd < 0) cannotWrite(path);
    writeAll(file.fd, bytes, path);
    if (::fsync(file.fd) != 0 && errno != EINVAL) cannotWrite(path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) cannotWrite(path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void writeWhole(const fs::path& path, std::string_view text) {
  writeWhole(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

void writeJson(const fs::path& path, const nlohmann::json& json) {
  writeWhole(path, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::optional<nlohmann::json> readJson(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  nlohmann::json json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string fileName(std::string_view policy) {
  std::string name;
  for (const char c : policy) name += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '=' ? c : '+';
  return name;
}

}  // namespace quantspot::evaluation
