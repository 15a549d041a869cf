// Reads ZIP archives: what torch.save and numpy.savez write. Members stored or deflated, ZIP64 too; nothing encrypted or split.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace quantspot::metrics {

// One clear line: which file, what is wrong with it.
struct FileError : std::runtime_error {
  FileError(const std::filesystem::path& file, const std::string& what) : std::runtime_error(file.string() + ": " + what) {}
};

using Bytes = std::vector<std::uint8_t>;
Bytes readAll(const std::filesystem::path& path);   // throws FileError
bool looksLikeZip(std::span<const std::uint8_t> file);

class ZipArchive {
 public:
  // Owns the file's bytes; `path` is for messages. Throws FileError when the directory is damaged or leaves the file.
  ZipArchive(std::filesystem::path path, Bytes file);

  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return members_.contains(name); }
  // The member unpacked, its checksum checked. Throws FileError: absent, damaged, a method that is not here.
  Bytes read(const std::string& name) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Member { std::uint16_t method = 0; std::uint32_t crc = 0; std::uint64_t packed = 0, size = 0, header = 0; };
  std::uint64_t number(std::uint64_t offset, int bytes) const;   // little endian; throws beyond the end
  void readDirectory();
  void readMember(std::uint64_t& offset);
  void readWide(Member& member, std::uint64_t extra, std::uint64_t length) const;
  [[noreturn]] void fail(const std::string& what) const { throw FileError(path_, what); }

  std::filesystem::path path_;
  Bytes file_;
  std::map<std::string, Member> members_;
};

// An archive of stored members, as numpy.savez makes it.
Bytes writeZip(const std::vector<std::pair<std::string, Bytes>>& members);

}  // namespace quantspot::metrics
