// A disk that takes no more, as a program meets it.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace quantspot::test {

// No file of this process may grow beyond `bytes` while one of these lives; programs that are started meanwhile inherit the limit.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

}  // namespace quantspot::test
