// Damaged copies of a file, the same for everyone: bytes flipped, numbers replaced by extreme ones, pieces cut out, doubled or put elsewhere.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>

namespace quantspot::test {

// How many of each kind; QUANTSPOT_MUTATIONS sets it where one has more time (a build with sanitizers).
inline int mutations(int usual) {
  const char* asked = std::getenv("QUANTSPOT_MUTATIONS");
  return asked ? std::atoi(asked) : usual;
}

// While it lives, no more than this can be allocated beyond what there is: an untrusted size ends as std::bad_alloc. Sanitizers have limits
// of their own.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::uint64_t more) {
#if !defined(__SANITIZE_ADDRESS__)
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit limit = before_;
    limit.rlim_cur = std::min<rlim_t>(before_.rlim_max, pages * 4096 + more);
    ::setrlimit(RLIMIT_AS, &limit);
#else
    static_cast<void>(more);
#endif
  }
  ~AllocationLimit() {
#if !defined(__SANITIZE_ADDRESS__)
    ::setrlimit(RLIMIT_AS, &before_);
#endif
  }
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;

 private:
  [[maybe_unused]] rlimit before_{};
};

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  // One to four changes. `text`: files of numbers and words, in which those are replaced, too.
  std::string operator()(std::string bytes, bool text = false) {
    for (std::uint32_t left = 1 + below(4); left > 0; --left) change(bytes, text);
    return bytes;
  }

 private:
  std::uint32_t below(std::size_t end) { return end < 2 ? 0 : static_cast<std::uint32_t>(random_() % end); }
  std::size_t place(const std::string& bytes) { return below(3) == 0 ? below(std::min<std::size_t>(bytes.size(), 64)) : below(bytes.size()); }

  void change(std::string& bytes, bool text) {
    static constexpr std::array<std::uint64_t, 10> extremes = {0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff,
        std::uint64_t{1} << 62, ~std::uint64_t{0}, std::uint64_t{1} << 63};
    static constexpr std::array<const char*, 14> words = {"-1", "0", "1e308", "9223372036854775807", "18446744073709551616", "null",
        "NaN", "[]", "{}", "\"\"", "true", "0.5", "[[[[", "\"../x\""};
    if (bytes.empty()) return;
    const std::size_t at = place(bytes);
    switch (below(text ? 8 : 6)) {
      case 0: bytes[at] = static_cast<char>(below(256)); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 2: bytes.resize(at); break;
      case 3: {
        const std::uint64_t value = extremes[below(extremes.size())];
        std::memcpy(bytes.data() + at, &value, std::min<std::size_t>(std::size_t{1} << below(4), bytes.size() - at));
        break;
      }
      case 4: bytes.erase(at, 1 + below(16)); break;
      case 5: bytes.insert(at, bytes.substr(place(bytes), 1 + below(64))); break;
      default: {
        const std::size_t begin = std::min(bytes.find_first_of("0123456789tfn\"", at), bytes.size());
        bytes.replace(begin, std::min(bytes.find_first_of(",}] \n", begin), bytes.size()) - begin, words[below(words.size())]);
      }
    }
  }

  std::mt19937 random_;
};

inline std::string readBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void writeBytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

}  // namespace quantspot::test
