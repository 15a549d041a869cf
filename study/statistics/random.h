// Draws that are the same on every platform (std::uniform_int_distribution is not). For simulations and resampling; what
// participants must not be able to foresee is drawn by study/order instead.
#pragma once

#include <cstdint>
#include <random>

namespace quantspot::statistics {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) {   // 0 … bound − 1, bound > 0; without modulo bias
    const std::uint64_t limit = engine_.max() - engine_.max() % bound;
    std::uint64_t draw;
    do draw = engine_();
    while (draw >= limit);
    return draw % bound;
  }
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }   // [0, 1)

 private:
  std::mt19937_64 engine_;
};

}  // namespace quantspot::statistics
