#include "quant/kernels/gguf_search.h"

namespace quantspot::quant {
namespace {

constexpr float nothing = 1e-15f;   // smaller groups count as zeros
constexpr int groupOfSigned = 16;

// The first value of largest magnitude, with its sign.
float extremeOf(const float* values) {
  float extreme = 0;
  for (int i = 0; i < groupOfSigned; ++i)
    if (__builtin_fabsf(values[i]) > __builtin_fabsf(extreme)) extreme = values[i];
  return extreme;
}

struct Range {
  float low, high, weight, weighted;   // bounds; sums of weights and of weight · value
};

Range rangeOf(const float* values, const float* weights, int count) {
  Range range{values[0], values[0], weights[0], weights[0] * values[0]};
  for (int i = 1; i < count; ++i) {
    if (values[i] < range.low) range.low = values[i];
    if (values[i] > range.high) range.high = values[i];
    range.weight += weights[i];
    range.weighted += weights[i] * values[i];
  }
  if (range.low > 0) range.low = 0;
  return range;
}

void encode(const AffineSearch& search, float factor, float low, const float* values, int count, std::uint8_t* codes) {
  for (int i = 0; i < count; ++i) codes[i] = static_cast<std::uint8_t>(clamped(nearestWhole(factor * (values[i] - low)), 0, search.levels));
}

// `low` is minus the offset.
float errorOf(const AffineSearch& search, float scale, float low, const float* values, const float* weights, int count, const std::uint8_t* codes) {
  float error = 0;
  for (int i = 0; i < count; ++i) {
    const float difference = scale * static_cast<float>(codes[i]) + low - values[i];
    error += weights[i] * (search.absolute ? __builtin_fabsf(difference) : difference * difference);
  }
  return error;
}

// The weighted least squares line through (code, value); false where there is none.
bool fitLine(const Range& range, const float* values, const float* weights, int count, const std::uint8_t* codes, float& scale, float& low) {
  float sum = 0, squares = 0, products = 0;
  for (int i = 0; i < count; ++i) {
    const auto code = static_cast<float>(codes[i]);
    const float weighted = weights[i] * code;
    sum += weighted;
    squares += weighted * code;
    products += weighted * values[i];
  }
  const float determinant = range.weight * squares - sum * sum;
  if (!(determinant > 0)) return false;
  scale = (range.weight * products - range.weighted * sum) / determinant;
  low = (squares * range.weighted - sum * products) / determinant;
  if (low > 0) {
    low = 0;
    scale = products / squares;
  }
  return true;
}

// Sums of weight · value · level and weight · level², where the weight is value².
struct Moments {
  float products = 0, squares = 0;

  void add(float value, int level) {
    const float weight = value * value, at = static_cast<float>(level);
    products += weight * value * at;
    squares += weight * at * at;
  }
  void remove(float value, int level) {
    const float weight = value * value, at = static_cast<float>(level);
    products -= weight * value * at;
    squares -= weight * at * at;
  }
  float scale() const { return squares != 0 ? products / squares : 0.0f; }
};

Moments encodeSigned(int half, float factor, const float* values, int* levels) {
  Moments moments;
  for (int i = 0; i < groupOfSigned; ++i) {
    levels[i] = clamped(nearestWhole(factor * values[i]), -half, half - 1);
    moments.add(values[i], levels[i]);
  }
  return moments;
}

float noScale(std::uint8_t* codes) {
  for (int i = 0; i < groupOfSigned; ++i) codes[i] = 0;
  return 0;
}

void storeSigned(int half, const int* levels, std::uint8_t* codes) {
  for (int i = 0; i < groupOfSigned; ++i) codes[i] = static_cast<std::uint8_t>(levels[i] + half);
}

}  // namespace

AffineFit fitAffine(const AffineSearch& search, const float* values, const float* weights, int count, std::uint8_t* codes) {
  const Range range = rangeOf(values, weights, count);
  if (range.high == range.low) {
    for (int i = 0; i < count; ++i) codes[i] = 0;
    return {0, -range.low};
  }
  const float factor = static_cast<float>(search.levels) / (range.high - range.low);
  float scale = 1 / factor, low = range.low;
  encode(search, factor, range.low, values, count, codes);
  float best = errorOf(search, scale, low, values, weights, count, codes);
  for (int step = 0; step <= search.steps; ++step) {
    const float levels = search.first + search.step * static_cast<float>(step) + static_cast<float>(search.levels);
    std::uint8_t tried[32];
    encode(search, levels / (range.high - low), low, values, count, tried);   // from the best minimum so far
    float triedScale = 0, triedLow = 0;
    if (!fitLine(range, values, weights, count, tried, triedScale, triedLow)) continue;
    const float error = errorOf(search, triedScale, triedLow, values, weights, count, tried);
    if (!(error < best)) continue;
    __builtin_memcpy(codes, tried, static_cast<std::size_t>(count));
    best = error;
    scale = triedScale;
    low = triedLow;
  }
  return {scale, -low};
}

float fitSigned(int half, const float* values, std::uint8_t* codes) {
  const float extreme = extremeOf(values);
  if (__builtin_fabsf(extreme) < nothing) return noScale(codes);
  int levels[groupOfSigned];
  const Moments first = encodeSigned(half, static_cast<float>(-half) / extreme, values, levels);
  storeSigned(half, levels, codes);
  float scale = first.scale(), best = scale * first.products;
  for (int step = -9; step <= 9; ++step) {
    if (step == 0) continue;
    const float factor = -(static_cast<float>(half) + 0.1f * static_cast<float>(step)) / extreme;
    const Moments tried = encodeSigned(half, factor, values, levels);
    if (!(tried.squares > 0 && tried.products * tried.products > best * tried.squares)) continue;
    storeSigned(half, levels, codes);
    scale = tried.products / tried.squares;
    best = scale * tried.products;
  }
  return scale;
}

float fitSignedByTurns(int half, const float* values, std::uint8_t* codes) {
  const float extreme = extremeOf(values);
  if (__builtin_fabsf(extreme) < nothing) return noScale(codes);
  int levels[groupOfSigned];
  Moments best = encodeSigned(half, static_cast<float>(-half) / extreme, values, levels);
  bool changed = true;
  for (int round = 0; round < 5 && changed; ++round) {
    changed = false;
    for (int i = 0; i < groupOfSigned; ++i) {
      Moments tried = best;
      tried.remove(values[i], levels[i]);
      if (!(tried.products > 0)) continue;
      const int level = clamped(nearestWhole(values[i] * tried.squares / tried.products), -half, half - 1);
      if (level == levels[i]) continue;
      tried.add(values[i], level);
      if (!(tried.squares > 0 && tried.products * tried.products * best.squares > best.products * best.products * tried.squares)) continue;
      levels[i] = level;
      best = tried;
      changed = true;
    }
  }
  storeSigned(half, levels, codes);
  return best.squares > 0 ? best.products / best.squares : 0.0f;
}

}  // namespace quantspot::quant
