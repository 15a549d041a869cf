// T5's unigram tokenizer as in transformers 5.23 (models/t5/tokenization_t5.py on the tokenizers library): that version runs
// the vocabulary of spiece.model through the tokenizers library too, so both kinds of file take the same path here.
#pragma once

#include "engine/model/charsmap.h"
#include "engine/model/tokenizer_files.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace quantspot::model {

class T5Tokenizer {
 public:
  // Reads tokenizer.json (Unigram), or spiece.model through libsentencepiece. Throws ModelError.
  explicit T5Tokenizer(const std::filesystem::path& folder);

  // … </s>, cut and padded to maxLength. Const and safe from several threads.
  TokenIds encode(const std::string& prompt, std::int64_t maxLength) const;
  std::vector<std::int64_t> tokens(const std::string& prompt) const;  // without </s>, neither cut nor padded

 private:
  void readJson(const TokenizerFiles& files);
  void readSentencePiece(const TokenizerFiles& files);
  void add(const std::string& piece, double score);
  void setSpecials(const TokenizerFiles& files);
  std::optional<std::int64_t> find(const std::string& piece) const;
  void encodeText(std::u32string_view text, std::vector<std::int64_t>& ids) const;
  void encodePiece(const std::string& word, std::vector<std::int64_t>& ids) const;
  std::string text(const std::vector<std::int64_t>& ids) const;

  std::vector<std::pair<std::string, double>> pieces_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::vector<AddedToken> added_;
  std::vector<std::string> control_;  // of spiece.model: special even where no file says so
  std::size_t longest_ = 0;           // bytes of the longest piece
  double unknownScore_ = 0;
  std::int64_t end_ = 1, pad_ = 0;
  std::optional<Charsmap> charsmap_;
};

}  // namespace quantspot::model
