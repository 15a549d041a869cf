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

// A part of a prompt: an added token when id ≥ 0, else text.
struct Segment {
  std::u32string text;
  std::int64_t id = -1;
};
// Cuts the leftmost, then longest, occurrences of added tokens out of the text.
std::vector<Segment> splitAddedTokens(std::u32string_view text, const std::vector<AddedToken>& tokens, bool normalized);

// tokenizer_config.json, special_tokens_map.json, tokenizer.json; any of them may be absent (null then).
class TokenizerFiles {
 public:
  explicit TokenizerFiles(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const nlohmann::json& tokenizer() const { return tokenizer_; }  // of tokenizer.json
  // "pad_token" and so on; the older special_tokens_map.json counts only where transformers still reads it.
  std::string special(const std::string& key, const std::string& fallback) const;
  std::optional<std::int64_t> modelMaxLength() const;
  std::int64_t number(const std::string& key, std::int64_t fallback) const;  // of tokenizer_config.json
  // All tokens that these files add to the vocabulary. `idOf` tells the id of a token that the vocabulary holds.
  std::vector<AddedToken> addedTokens(const std::function<std::optional<std::int64_t>(const std::string&)>& idOf) const;

 private:
  std::filesystem::path folder_;
  nlohmann::json config_, specialMap_, tokenizer_;
};

}  // namespace quantspot::model
