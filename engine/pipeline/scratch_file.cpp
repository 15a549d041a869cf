#include "engine/pipeline/scratch_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace quantspot::pipeline {

std::filesystem::path scratchFolder() {
  const char* const asked = std::getenv("TMPDIR");
  if (asked && *asked) return asked;
  std::error_code ignored;
  return ::access("/var/tmp", W_OK) == 0 ? std::filesystem::path("/var/tmp") : std::filesystem::temp_directory_path(ignored);
}

ScratchFile::ScratchFile(const std::filesystem::path& folder) {
  std::string name = folder / "quantspot-XXXXXX";
  file_ = ::mkstemp(name.data());
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), folder.string() + ": no file can be made there");
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() { ::close(file_); }

std::filesystem::path ScratchFile::path() const { return "/proc/self/fd/" + std::to_string(file_); }

}  // namespace quantspot::pipeline
