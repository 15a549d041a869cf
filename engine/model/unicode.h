// What the tokenizers need of Unicode: classes of characters, lower case, normalization form C.
#pragma once

#include <string>
#include <string_view>

namespace quantspot::model::unicode {

// Ill-formed UTF-8 becomes U+FFFD, one per offending byte.
std::u32string decode(std::string_view utf8);
void append(std::string& utf8, char32_t code);
std::string encode(std::u32string_view text);

bool isLetter(char32_t code);   // \p{L}
bool isNumber(char32_t code);   // \p{N}
bool isSpace(char32_t code);    // \s, that is White_Space
// The length of the first grapheme of a text that is not empty, as far as graphemes below six bytes go: jamo, flags, joined
// emoji and Indic conjuncts, which are longer, are not joined.
std::size_t graphemeLength(std::u32string_view text);

// Character by character, without the final-sigma rule, as the tokenizers library does.
std::u32string lower(std::u32string_view text);
std::u32string nfc(std::u32string_view text);

}  // namespace quantspot::model::unicode
