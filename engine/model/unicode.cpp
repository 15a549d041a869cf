#include "engine/model/unicode.h"

#include "engine/model/unicode_tables.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>

namespace quantspot::model::unicode {
namespace {

// Hangul syllables are composed by arithmetic (Unicode, chapter 3.12).
constexpr char32_t kSBase = 0xAC00, kLBase = 0x1100, kVBase = 0x1161, kTBase = 0x11A7;
constexpr char32_t kLCount = 19, kVCount = 21, kTCount = 28, kSCount = kLCount * kVCount * kTCount;

// The run that holds `code`, or nullptr.
template <class Run>
const Run* find(std::span<const Run> runs, char32_t code) {
  const auto next = std::upper_bound(runs.begin(), runs.end(), code, [](char32_t c, const Run& run) { return c < run.first; });
  if (next == runs.begin()) return nullptr;
  const Run& run = *std::prev(next);
  return code <= run.last ? &run : nullptr;
}

int combiningOrder(char32_t code) {
  const CombiningRun* const run = code < 0x300 ? nullptr : find(kCombining, code);
  return run ? run->order : 0;
}

void decompose(char32_t code, std::u32string& out) {
  if (code - kSBase < kSCount) {
    const char32_t index = code - kSBase;
    out += kLBase + index / (kVCount * kTCount);
    out += kVBase + index % (kVCount * kTCount) / kTCount;
    if (index % kTCount) out += kTBase + index % kTCount;
    return;
  }
  const auto found = std::lower_bound(kDecomposition.begin(), kDecomposition.end(), code,
                                      [](const Decomposition& d, char32_t c) { return d.code < c; });
  if (code < 0xC0 || found == kDecomposition.end() || found->code != code) {
    out += code;
    return;
  }
  decompose(found->first, out);
  if (found->second) decompose(found->second, out);
}

// The letter that two compose to, or 0.
char32_t composed(char32_t a, char32_t b) {
  static const auto pairs = [] {
    std::map<std::pair<char32_t, char32_t>, char32_t> map;
    for (const Decomposition& d : kDecomposition)
      if (d.composes) map.emplace(std::pair(d.first, d.second), d.code);
    return map;
  }();
  if (a - kLBase < kLCount && b - kVBase < kVCount) return kSBase + ((a - kLBase) * kVCount + (b - kVBase)) * kTCount;
  if (a - kSBase < kSCount && (a - kSBase) % kTCount == 0 && b > kTBase && b - kTBase < kTCount) return a + (b - kTBase);
  const auto found = pairs.find({a, b});
  return found == pairs.end() ? 0 : found->second;
}

// Marks that follow a letter are put in the order of their classes; equal classes keep theirs.
void orderMarks(std::u32string& text) {
  for (auto begin = text.begin(); begin != text.end();) {
    if (combiningOrder(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, text.end(), [](char32_t c) { return combiningOrder(c) == 0; });
    std::stable_sort(begin, end, [](char32_t a, char32_t b) { return combiningOrder(a) < combiningOrder(b); });
    begin = end;
  }
}

std::u32string compose(std::u32string_view text) {
  std::u32string out;
  std::size_t starter = std::u32string::npos;
  int lastOrder = -1;  // of the last character kept after the starter; -1: none
  for (char32_t code : text) {
    const int order = combiningOrder(code);
    if (starter != std::u32string::npos && lastOrder < order) {
      if (const char32_t whole = composed(out[starter], code)) {
        out[starter] = whole;
        continue;
      }
    }
    out += code;
    lastOrder = order;
    if (order == 0) {
      starter = out.size() - 1;
      lastOrder = -1;
    }
  }
  return out;
}

// Bytes of the sequence that a first byte announces; 0: it cannot begin one.
int sequenceLength(std::uint8_t byte) {
  if (byte < 0x80) return 1;
  if (byte >= 0xC2 && byte < 0xE0) return 2;
  if (byte >= 0xE0 && byte < 0xF0) return 3;
  return byte >= 0xF0 && byte < 0xF5 ? 4 : 0;
}

// Decodes one sequence of `length` bytes; U+FFFD when it is ill-formed.
char32_t decodeOne(std::string_view bytes, int length) {
  constexpr char32_t kBad = 0xFFFD;
  static constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (length == 0 || bytes.size() < static_cast<std::size_t>(length)) return kBad;
  auto code = static_cast<char32_t>(static_cast<std::uint8_t>(bytes[0]) & (length == 1 ? 0x7F : 0xFF >> (length + 1)));
  for (int i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(bytes[static_cast<std::size_t>(i)]);
    if ((next & 0xC0) != 0x80) return kBad;
    code = code << 6 | (next & 0x3F);
  }
  return code < kSmallest[static_cast<std::size_t>(length)] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? kBad : code;
}

}  // namespace

std::u32string decode(std::string_view utf8) {
  std::u32string text;
  while (!utf8.empty()) {
    const int length = sequenceLength(static_cast<std::uint8_t>(utf8[0]));
    const char32_t code = decodeOne(utf8, length);
    // A genuine U+FFFD is three bytes long and falls in here too: three replacements would be wrong.
    const bool whole = code != 0xFFFD || utf8.starts_with("\xEF\xBF\xBD");
    text += code;
    utf8.remove_prefix(whole ? static_cast<std::size_t>(length) : 1);
  }
  return text;
}

void append(std::string& utf8, char32_t code) {
  const auto tail = [&](int shift) { utf8 += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    utf8 += static_cast<char>(code);
  } else if (code < 0x800) {
    utf8 += static_cast<char>(0xC0 | code >> 6), tail(0);
  } else if (code < 0x10000) {
    utf8 += static_cast<char>(0xE0 | code >> 12), tail(6), tail(0);
  } else {
    utf8 += static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0);
  }
}

std::string encode(std::u32string_view text) {
  std::string utf8;
  for (char32_t code : text) append(utf8, code);
  return utf8;
}

bool isLetter(char32_t code) { return find(kLetter, code) != nullptr; }
bool isNumber(char32_t code) { return find(kNumber, code) != nullptr; }
bool isSpace(char32_t code) { return find(kSpace, code) != nullptr; }

std::size_t graphemeLength(std::u32string_view text) {
  if (text.starts_with(U"\r\n")) return 2;
  if (find(kControl, text[0])) return 1;
  std::size_t length = 1;
  while (length < text.size() && find(kPrepend, text[length - 1]) && !find(kControl, text[length])) ++length;
  while (length < text.size() && find(kExtend, text[length])) ++length;
  return length;
}

std::u32string lower(std::u32string_view text) {
  std::u32string out;
  for (char32_t code : text) {
    if (code == 0x130) {  // the one capital whose small form is two characters
      out += U"i\u0307";
      continue;
    }
    const LowerRun* const run = find(kLower, code);
    out += run && (code - run->first) % static_cast<char32_t>(run->step) == 0 ? code + static_cast<char32_t>(run->delta) : code;
  }
  return out;
}

std::u32string nfc(std::u32string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < 0x300; })) return std::u32string(text);
  std::u32string parts;
  for (char32_t code : text) decompose(code, parts);
  orderMarks(parts);
  return compose(parts);
}

}  // namespace quantspot::model::unicode
