// Stands before the C library: file systems have as many bytes free as QUANTSPOT_TEST_FREE_BYTES says.
#include <dlfcn.h>
#include <sys/statvfs.h>

#include <cstdlib>

extern "C" int statvfs(const char* path, struct statvfs* space) noexcept {
  static const auto real = reinterpret_cast<int (*)(const char*, struct statvfs*)>(dlsym(RTLD_NEXT, "statvfs"));
  const int result = real(path, space);
  const char* free = std::getenv("QUANTSPOT_TEST_FREE_BYTES");
  if (result == 0 && free) space->f_bavail = space->f_bfree = std::strtoull(free, nullptr, 10) / space->f_frsize;
  return result;
}
