// Stands before the C library: the wall clock of the process that loads it is an hour behind.
#include <dlfcn.h>
#include <sys/time.h>
#include <ctime>

namespace {
constexpr long kBehind = 3600;   // seconds
}

extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
  static const auto real = reinterpret_cast<int (*)(clockid_t, timespec*)>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(id, time);
  if (result == 0 && id == CLOCK_REALTIME) time->tv_sec -= kBehind;
  return result;
}

extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec, time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
