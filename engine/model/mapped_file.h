// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace quantspot::model {

// Movable owner of the mapping. Where the file shrinks meanwhile, copy() throws, and who reads bytes() ends the process in one line (mapped_ranges.h).
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);  // throws ModelError: cannot open, not a file, cannot map
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Gives the pages of this range back to the system, and those around it that the kernel brought along; reading them again loads them again.
  void release(std::span<const std::byte> range) const;
  // The system begins to read this range; returns at once. For what is wanted soon.
  void willNeed(std::span<const std::byte> range) const;
  // Copies a range past the mapping, so that a large one is not in memory twice. Throws ModelError when the file has it no longer.
  void copy(std::span<const std::byte> range, std::byte* to) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace quantspot::model
