// SentencePiece's precompiled character map: a Darts double-array trie from UTF-8 prefixes to replacement strings.
// Applied as the tokenizers library does (spm_precompiled 0.1): by grapheme, the shortest matching key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

class Charsmap {
 public:
  // `blob` is the field precompiled_charsmap. Throws std::invalid_argument when it is damaged.
  explicit Charsmap(std::string_view blob);
  // The charsmap of a serialized SentencePiece ModelProto (normalizer_spec.precompiled_charsmap); absent when it has none.
  static std::optional<Charsmap> fromModelProto(std::string_view proto);

  std::u32string normalize(std::u32string_view text) const;

 private:
  std::optional<std::string_view> replacement(std::string_view key) const;

  std::vector<std::uint32_t> trie_;
  std::string replacements_;
};

}  // namespace quantspot::model
