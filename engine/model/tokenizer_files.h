// What the two tokenizers share: the files beside the vocabulary, and special tokens written out in a prompt.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::model {

// The ids of one prompt, padded, and the end of the prompt that did not fit ("": everything did).
struct TokenIds {
  std::vector<std::int64_t> ids;
  std::string cut;
  std::size_t total = 0;  // ids before cutting and padding, special tokens included
};

struct AddedToken {
  std::u32string content;
  std::int64_t id = 0;
  bool normalized = false;  // found after normalization instead of before
};

// Puts a token into the list; one with the same id gives way, as in the tokenizers library.
void remember(std::vector<AddedToken>& tokens, AddedToken token);

// A part of a prompt: an added token when id ≥ 0, else text.
struct Segment {
  std::u32string text;
  std::int64_t id = -1;
};
// Cuts the leftmost, then longest, occurrences of added tokens out of the text.
std::vector<Segment> splitAddedTokens(std::u32string_view text, const std::vector<AddedToken>& tokens, bool normalized);

// The id of a token that the vocabulary holds.
using IdOf = std::function<std::optional<std::int64_t>(const std::string&)>;

// tokenizer_config.json, special_tokens_map.json, tokenizer.json; any of them may be absent (null then).
class TokenizerFiles {
 public:
  explicit TokenizerFiles(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const nlohmann::json& tokenizer() const { return tokenizer_; }  // of tokenizer.json
  // "pad_token" and so on; the older special_tokens_map.json counts only where transformers still reads it. The id is `idOf`'s,
  // else that of the list of added tokens. Throws ModelError when neither knows the token.
  AddedToken special(const std::string& key, const std::string& fallback, const IdOf& idOf) const;
  std::optional<std::int64_t> modelMaxLength() const;
  std::int64_t number(const std::string& key, std::int64_t fallback) const;  // of tokenizer_config.json
  // All tokens that these files add to the vocabulary.
  std::vector<AddedToken> addedTokens(const IdOf& idOf) const;

 private:
  std::filesystem::path folder_;
  nlohmann::json config_, specialMap_, tokenizer_;
};

}  // namespace quantspot::model
