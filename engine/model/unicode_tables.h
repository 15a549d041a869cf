// The parts of the Unicode character database that the tokenizers need. All tables are sorted by code point.
#pragma once

#include <cstdint>
#include <span>

namespace quantspot::model::unicode {

struct Range { char32_t first, last; };
struct LowerRun { char32_t first, last; std::int32_t step, delta; };          // every step-th letter moves by delta
struct Decomposition { char32_t code, first, second; bool composes; };        // canonical; second 0: a singleton
struct CombiningRun { char32_t first, last; std::uint8_t order; };            // canonical combining class, not 0

extern const std::span<const Range> kLetter, kNumber, kSpace;                 // \p{L}, \p{N}, \s
extern const std::span<const Range> kExtend, kControl, kPrepend;              // grapheme cluster break
extern const std::span<const LowerRun> kLower;
extern const std::span<const Decomposition> kDecomposition;
extern const std::span<const CombiningRun> kCombining;

}  // namespace quantspot::model::unicode
