// A file without a name, which the system removes when the last who has it open lets it go, however the process ends.
#pragma once

#include <filesystem>

namespace quantspot::pipeline {

// $TMPDIR, else /var/tmp, which lies on a disk where /tmp may lie in memory, else where the system puts such files.
std::filesystem::path scratchFolder();

class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& folder);   // throws std::system_error that names the folder
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  std::filesystem::path path() const;    // good in this process, for reading and writing, while this lives

 private:
  int file_ = -1;
};

}  // namespace quantspot::pipeline
