// CLIP's byte-level BPE tokenizer as in transformers 5.23 (models/clip/tokenization_clip.py on the tokenizers library).
#pragma once

#include "engine/model/prompt_weights.h"
#include "engine/model/tokenizer_files.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

namespace quantspot::model {

class ClipTokenizer {
 public:
  // Reads tokenizer.json, or vocab.json and merges.txt. Throws ModelError.
  explicit ClipTokenizer(const std::filesystem::path& folder);

  // <|startoftext|> … <|endoftext|>, cut and padded to maxLength(). Const and safe from several threads.
  TokenIds encode(const std::string& prompt) const;
  // The same of a prompt in pieces, each turned into tokens by itself; `weights` gets one for every id, 1 for what is no piece's.
  TokenIds encode(const std::vector<WeightedText>& pieces, std::vector<float>& weights) const;
  std::vector<std::int64_t> tokens(const std::string& prompt) const;  // without the two specials, neither cut nor padded
  std::int64_t maxLength() const { return maxLength_; }

 private:
  struct Merge {
    std::int64_t rank, id;
  };
  TokenIds finished(std::vector<std::int64_t> ids) const;
  void readVocabulary(const TokenizerFiles& files);
  void addMerge(const std::string& first, const std::string& second, const std::filesystem::path& file);
  void readMerges(const std::filesystem::path& file);
  void setSpecials(const TokenizerFiles& files);
  void add(AddedToken token);
  std::optional<std::int64_t> find(const std::string& token) const;
  void encodeText(std::u32string_view normalized, std::vector<std::int64_t>& ids) const;
  void encodeWord(const std::string& word, std::vector<std::int64_t>& ids) const;
  std::vector<std::int64_t> symbols(const std::string& word) const;
  std::string text(const std::vector<std::int64_t>& ids) const;

  std::unordered_map<std::string, std::int64_t> ids_;
  std::unordered_map<std::int64_t, std::string> tokens_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // of two ids
  std::vector<AddedToken> added_;
  std::int64_t begin_ = 0, end_ = 0, unknown_ = 0, pad_ = 0, maxLength_ = 77;
};

}  // namespace quantspot::model
