#include "engine/model/t5_tokenizer.h"

#include "engine/model/config.h"
#include "engine/model/unicode.h"

#include <sentencepiece_processor.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace quantspot::model {
namespace {

constexpr std::string_view kSpaceMark = "\u2581";
constexpr std::int64_t kUnknown = 2;       // T5Tokenizer fixes it
constexpr double kUnknownPenalty = 10.0;   // of the tokenizers library

std::string base64Decode(const std::string& text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (value == std::string_view::npos) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

// The first Precompiled normalizer of tokenizer.json: transformers takes nothing else from there.
std::optional<Charsmap> charsmapOf(const nlohmann::json& tokenizer) {
  if (!tokenizer.contains("normalizer") || !tokenizer["normalizer"].is_object()) return std::nullopt;
  const auto& normalizer = tokenizer["normalizer"];
  const nlohmann::json list = normalizer.value("type", "") == "Sequence" ? normalizer.at("normalizers") : nlohmann::json{normalizer};
  for (const auto& item : list)
    if (item.value("type", "") == "Precompiled" && item.contains("precompiled_charsmap"))
      return Charsmap(base64Decode(item["precompiled_charsmap"].get<std::string>()));
  return std::nullopt;
}

}  // namespace

T5Tokenizer::T5Tokenizer(const std::filesystem::path& folder) {
  const TokenizerFiles files(folder);
  const auto source = folder / (files.tokenizer().is_null() ? "spiece.model" : "tokenizer.json");
  try {
    files.tokenizer().is_null() ? readSentencePiece(files) : readJson(files);
    if (pieces_.size() <= kUnknown) throw std::invalid_argument(fmt::format("holds only {} pieces", pieces_.size()));
    setSpecials(files);
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(fmt::format("{}: is not a Unigram tokenizer ({})", source.string(), error.what()));
  } catch (const std::invalid_argument& error) {
    throw ModelError(fmt::format("{}: {}", source.string(), error.what()));
  }
}

void T5Tokenizer::readJson(const TokenizerFiles& files) {
  const auto& model = files.tokenizer().at("model");
  for (const auto& piece : model.at("vocab")) add(piece.at(0).get<std::string>(), piece.at(1).get<double>());
  charsmap_ = charsmapOf(files.tokenizer());
}

void T5Tokenizer::readSentencePiece(const TokenizerFiles& files) {
  const auto path = files.folder() / "spiece.model";
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ModelError(fmt::format("{}: holds neither tokenizer.json nor spiece.model", files.folder().string()));
  std::ostringstream stream;
  stream << file.rdbuf();
  const std::string proto = stream.str();
  sentencepiece::SentencePieceProcessor processor;
  try {
    if (const auto status = processor.LoadFromSerializedProto(proto); !status.ok()) throw std::invalid_argument(status.ToString());
  } catch (const std::exception& error) {   // of damaged pieces the library throws what its trie throws
    throw std::invalid_argument(fmt::format("is no SentencePiece model ({})", error.what()));
  }
  for (int id = 0; id < processor.GetPieceSize(); ++id) {
    add(processor.IdToPiece(id), processor.GetScore(id));
    if (processor.IsControl(id)) control_.push_back(processor.IdToPiece(id));
  }
  // transformers appends these, in this order, unless tokenizer_config.json sets another number.
  const std::int64_t extra = files.number("extra_ids", 100);
  if (extra > 100'000) throw std::invalid_argument(fmt::format("tokenizer_config.json asks for {} extra_ids", extra));
  for (std::int64_t i = extra - 1; i >= 0; --i) {
    control_.push_back(fmt::format("<extra_id_{}>", i));
    add(control_.back(), 0.0);
  }
  charsmap_ = Charsmap::fromModelProto(proto);
}

void T5Tokenizer::add(const std::string& piece, double score) {
  ids_[piece] = static_cast<std::int64_t>(pieces_.size());
  pieces_.emplace_back(piece, score);
  longest_ = std::max(longest_, piece.size());
  unknownScore_ = std::min(pieces_.size() == 1 ? std::numeric_limits<double>::max() : unknownScore_, score - kUnknownPenalty);
}

void T5Tokenizer::setSpecials(const TokenizerFiles& files) {
  const IdOf idOf = [this](const std::string& token) { return find(token); };
  const auto special = [&](const char* key, const char* fallback) {
    remember(added_, files.special(key, fallback, idOf));
    return added_.back().id;
  };
  end_ = special("eos_token", "</s>");
  pad_ = special("pad_token", "<pad>");
  special("unk_token", "<unk>");
  for (auto& token : files.addedTokens(idOf)) remember(added_, std::move(token));
  for (const std::string& token : control_) remember(added_, {unicode::decode(token), ids_.at(token), false});
}

std::optional<std::int64_t> T5Tokenizer::find(const std::string& piece) const {
  const auto found = ids_.find(piece);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::int64_t> T5Tokenizer::tokens(const std::string& prompt) const {
  std::vector<std::int64_t> ids;
  for (const Segment& raw : splitAddedTokens(unicode::decode(prompt), added_, false)) {
    if (raw.id >= 0) {
      ids.push_back(raw.id);
      continue;
    }
    for (const Segment& segment : splitAddedTokens(charsmap_ ? charsmap_->normalize(raw.text) : raw.text, added_, true)) {
      if (segment.id >= 0)
        ids.push_back(segment.id);
      else
        encodeText(segment.text, ids);
    }
  }
  return ids;
}

TokenIds T5Tokenizer::encode(const std::string& prompt, std::int64_t maxLength) const {
  TokenIds result;
  std::vector<std::int64_t> ids = tokens(prompt);
  result.total = ids.size() + 1;
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(maxLength, 1) - 1);
  if (ids.size() > room) {
    result.cut = text({ids.begin() + static_cast<std::ptrdiff_t>(room), ids.end()});
    ids.resize(room);
  }
  ids.push_back(end_);
  ids.resize(room + 1, pad_);
  result.ids = std::move(ids);
  return result;
}

// Words are cut at white space and begin with the space mark, as do the parts of words that hold such marks themselves.
void T5Tokenizer::encodeText(std::u32string_view text, std::vector<std::int64_t>& ids) const {
  const char32_t mark = unicode::decode(kSpaceMark)[0];
  std::u32string part;
  const auto flush = [&] {
    if (!part.empty()) encodePiece(unicode::encode(part), ids);
    part.clear();
  };
  for (const char32_t code : text) {
    if (unicode::isSpace(code)) {
      flush();
      continue;
    }
    if (code == mark) flush();
    if (part.empty()) part += mark;
    if (code != mark) part += code;
  }
  flush();
}

// The best-scoring way to cut the word into pieces (Viterbi); a character that no piece covers is unknown.
void T5Tokenizer::encodePiece(const std::string& word, std::vector<std::int64_t>& ids) const {
  struct Node {
    double score = 0;
    std::int64_t id = -1;  // of the piece that ends here; -1: not reached
    std::size_t begin = 0;
  };
  std::vector<Node> best(word.size() + 1);
  const auto offer = [&](std::size_t begin, std::size_t end, std::int64_t id, double score) {
    const double total = best[begin].score + score;
    if (best[end].id < 0 || total > best[end].score) best[end] = {total, id, begin};
  };
  for (std::size_t begin = 0, letter; begin < word.size(); begin += letter) {
    letter = 1;
    while (begin + letter < word.size() && (static_cast<std::uint8_t>(word[begin + letter]) & 0xC0) == 0x80) ++letter;
    bool covered = false;
    for (std::size_t length = 1; length <= std::min(longest_, word.size() - begin); ++length) {
      const auto id = find(word.substr(begin, length));
      if (!id) continue;
      offer(begin, begin + length, *id, pieces_[static_cast<std::size_t>(*id)].second);
      covered |= length == letter;
    }
    if (!covered) offer(begin, begin + letter, kUnknown, unknownScore_);
  }
  std::vector<std::int64_t> reversed;
  for (std::size_t end = word.size(); end > 0; end = best[end].begin)
    if (best[end].id != kUnknown || reversed.empty() || reversed.back() != kUnknown) reversed.push_back(best[end].id);  // unknown ones fuse
  ids.insert(ids.end(), reversed.rbegin(), reversed.rend());
}

// Readable again, for messages.
std::string T5Tokenizer::text(const std::vector<std::int64_t>& ids) const {
  std::string joined;
  for (const std::int64_t id : ids)
    if (id >= 0 && id < static_cast<std::int64_t>(pieces_.size())) joined += pieces_[static_cast<std::size_t>(id)].first;
  for (std::size_t at = joined.find(kSpaceMark); at != std::string::npos; at = joined.find(kSpaceMark, at)) joined.replace(at, kSpaceMark.size(), " ");
  return joined.substr(std::min(joined.find_first_not_of(' '), joined.size()));
}

}  // namespace quantspot::model
