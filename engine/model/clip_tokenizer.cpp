#include "engine/model/clip_tokenizer.h"

#include "engine/model/config.h"
#include "engine/model/unicode.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <queue>
#include <tuple>

namespace quantspot::model {
namespace {

constexpr std::string_view kWordEnd = "</w>";

// Bytes that print stand for themselves, the others for U+0100 and on: GPT-2's alphabet.
const std::array<char32_t, 256>& byteAlphabet() {
  static const auto alphabet = [] {
    std::array<char32_t, 256> letters{};
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      letters[byte] = prints ? byte : next++;
    }
    return letters;
  }();
  return alphabet;
}

std::uint64_t pairKey(std::int64_t a, std::int64_t b) { return static_cast<std::uint64_t>(a) << 32 | static_cast<std::uint32_t>(b); }

std::u32string normalize(std::u32string_view text) {
  std::u32string spaced;
  for (char32_t code : unicode::nfc(text)) {
    const bool space = unicode::isSpace(code);
    if (space && !spaced.empty() && spaced.back() == U' ') continue;
    spaced += space ? U' ' : code;
  }
  return unicode::lower(spaced);
}

constexpr std::u32string_view kSpecials[] = {U"<|startoftext|>", U"<|endoftext|>"};

std::size_t specialLength(std::u32string_view text) {
  for (const auto special : kSpecials)
    if (text.starts_with(special)) return special.size();
  return 0;
}

// The length of the next word of CLIP's pattern, 0 where none begins (white space). The order of the alternatives counts.
std::size_t wordLength(std::u32string_view text) {
  static constexpr std::u32string_view kEndings[] = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const auto ending : kEndings)
    if (text.starts_with(ending)) return ending.size();
  const auto run = [&](auto belongs) { return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin()); };
  if (const std::size_t letters = run(unicode::isLetter)) return letters;
  if (unicode::isNumber(text[0])) return 1;
  return run([](char32_t c) { return !unicode::isSpace(c) && !unicode::isLetter(c) && !unicode::isNumber(c); });
}

std::string inByteAlphabet(std::u32string_view word) {
  std::string letters;
  for (const char byte : unicode::encode(word)) unicode::append(letters, byteAlphabet()[static_cast<std::uint8_t>(byte)]);
  return letters;
}

// The library would make whole numbers of others.
std::unordered_map<std::string, std::int64_t> idsOf(const nlohmann::json& vocabulary) {
  if (!vocabulary.is_object()) throw nlohmann::json::type_error::create(302, "the vocabulary is no object", &vocabulary);
  std::unordered_map<std::string, std::int64_t> ids;
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer()) throw nlohmann::json::type_error::create(302, "an id is no whole number", &id);
    ids.emplace(token, id.get<std::int64_t>());
  }
  return ids;
}

}  // namespace

ClipTokenizer::ClipTokenizer(const std::filesystem::path& folder) {
  const TokenizerFiles files(folder);
  readVocabulary(files);
  for (const auto& [token, id] : ids_) tokens_.emplace(id, token);
  try {
    setSpecials(files);
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(fmt::format("{}: the lists of special tokens are damaged ({})", folder.string(), error.what()));
  }
}

void ClipTokenizer::readVocabulary(const TokenizerFiles& files) {
  const bool two = files.tokenizer().is_null();
  const auto single = files.folder() / (two ? "vocab.json" : "tokenizer.json");
  try {
    if (two) {
      ids_ = idsOf(readJson(single));
      readMerges(files.folder() / "merges.txt");
      return;
    }
    const auto& model = files.tokenizer().at("model");
    ids_ = idsOf(model.at("vocab"));
    for (const auto& merge : model.at("merges")) {
      if (merge.is_array()) {
        addMerge(merge.at(0).get<std::string>(), merge.at(1).get<std::string>(), single);
        continue;
      }
      const auto text = merge.get<std::string>();
      const std::size_t space = text.find(' ');
      addMerge(text.substr(0, space), space == std::string::npos ? "" : text.substr(space + 1), single);
    }
  } catch (const nlohmann::json::exception& error) {
    throw ModelError(fmt::format("{}: is not a BPE tokenizer ({})", single.string(), error.what()));
  }
}

void ClipTokenizer::readMerges(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw ModelError(fmt::format("{}: is missing or cannot be read", path.string()));
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    addMerge(line.substr(0, space), space == std::string::npos ? "" : line.substr(space + 1), path);
  }
}

void ClipTokenizer::addMerge(const std::string& first, const std::string& second, const std::filesystem::path& file) {
  const auto a = find(first), b = find(second), whole = find(first + second);
  if (!a || !b || !whole) throw ModelError(fmt::format("{}: merge '{} {}' does not fit the vocabulary", file.string(), first, second));
  merges_.emplace(pairKey(*a, *b), Merge{static_cast<std::int64_t>(merges_.size()), *whole});
}

void ClipTokenizer::setSpecials(const TokenizerFiles& files) {
  const IdOf idOf = [this](const std::string& token) { return find(token); };
  const auto special = [&](const char* key, const char* fallback) {
    add(files.special(key, fallback, idOf));
    return added_.back().id;
  };
  begin_ = special("bos_token", "<|startoftext|>");
  end_ = special("eos_token", "<|endoftext|>");
  unknown_ = special("unk_token", "<|endoftext|>");
  pad_ = special("pad_token", "<|endoftext|>");
  for (auto& token : files.addedTokens(idOf)) add(std::move(token));
  maxLength_ = files.modelMaxLength().value_or(77);
  if (maxLength_ < 3) throw ModelError(fmt::format("{}: model_max_length={} leaves no room for a prompt", files.folder().string(), maxLength_));
}

void ClipTokenizer::add(AddedToken token) {
  tokens_.emplace(token.id, unicode::encode(token.content));
  if (token.normalized) token.content = normalize(token.content);
  remember(added_, std::move(token));
}

std::optional<std::int64_t> ClipTokenizer::find(const std::string& token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::int64_t> ClipTokenizer::tokens(const std::string& prompt) const {
  std::vector<std::int64_t> ids;
  const auto collect = [&](const Segment& s) {
    if (s.id >= 0)
      ids.push_back(s.id);
    else
      encodeText(s.text, ids);
  };
  for (const Segment& raw : splitAddedTokens(unicode::decode(prompt), added_, false)) {
    if (raw.id >= 0) {
      collect(raw);
      continue;
    }
    for (const Segment& segment : splitAddedTokens(normalize(raw.text), added_, true)) collect(segment);
  }
  return ids;
}

TokenIds ClipTokenizer::encode(const std::string& prompt) const { return finished(tokens(prompt)); }

TokenIds ClipTokenizer::encode(const std::vector<WeightedText>& pieces, std::vector<float>& weights) const {
  std::vector<std::int64_t> ids;
  weights.assign(1, 1.0F);               // of the begin token
  for (const WeightedText& piece : pieces) {
    const std::vector<std::int64_t> own = tokens(piece.text);
    ids.insert(ids.end(), own.begin(), own.end());
    weights.resize(weights.size() + own.size(), static_cast<float>(piece.weight));
  }
  const auto length = static_cast<std::size_t>(maxLength_);
  weights.resize(std::min(weights.size(), length - 1));
  weights.resize(length, 1.0F);
  return finished(std::move(ids));
}

TokenIds ClipTokenizer::finished(std::vector<std::int64_t> ids) const {
  TokenIds result;
  result.total = ids.size() + 2;
  const auto room = static_cast<std::size_t>(maxLength_ - 2);
  if (ids.size() > room) {
    result.cut = text({ids.begin() + static_cast<std::ptrdiff_t>(room), ids.end()});
    ids.resize(room);
  }
  result.ids.push_back(begin_);
  result.ids.insert(result.ids.end(), ids.begin(), ids.end());
  result.ids.push_back(end_);
  result.ids.resize(static_cast<std::size_t>(maxLength_), pad_);
  return result;
}

void ClipTokenizer::encodeText(std::u32string_view normalized, std::vector<std::int64_t>& ids) const {
  const auto take = [&](std::size_t length) {
    if (length > 0) encodeWord(inByteAlphabet(normalized.substr(0, length)), ids);
    normalized.remove_prefix(std::max<std::size_t>(length, 1));
  };
  while (!normalized.empty()) {
    // A special in capitals is one word of the pattern; the byte-level step behind it cuts off both pairs of brackets.
    if (const std::size_t special = specialLength(normalized)) {
      for (const std::size_t part : {std::size_t{2}, special - 4, std::size_t{2}}) take(part);
    } else {
      take(wordLength(normalized));
    }
  }
}

// One symbol per letter; the last one carries the mark of the word's end.
std::vector<std::int64_t> ClipTokenizer::symbols(const std::string& word) const {
  std::vector<std::int64_t> ids;
  const std::u32string letters = unicode::decode(word);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    std::string symbol;
    unicode::append(symbol, letters[i]);
    if (i + 1 == letters.size()) symbol += kWordEnd;
    ids.push_back(find(symbol).value_or(unknown_));
  }
  return ids;
}

// Joins neighbours, the pair of the lowest rank first and the leftmost of these; a queue keeps long words fast.
void ClipTokenizer::encodeWord(const std::string& word, std::vector<std::int64_t>& ids) const {
  constexpr std::int64_t kGone = -1;
  struct Candidate {
    std::int64_t rank;
    std::size_t left, right;
    std::int64_t leftId, rightId, whole;
    bool operator>(const Candidate& other) const { return std::tie(rank, left) > std::tie(other.rank, other.left); }
  };
  std::vector<std::int64_t> parts = symbols(word);
  std::vector<std::size_t> next(parts.size()), previous(parts.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](std::size_t left, std::size_t right) {
    if (right >= parts.size()) return;
    const auto merge = merges_.find(pairKey(parts[left], parts[right]));
    if (merge != merges_.end()) queue.push({merge->second.rank, left, right, parts[left], parts[right], merge->second.id});
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    next[i] = i + 1;
    previous[i] = i - 1;  // of the first: beyond the end
    offer(i, i + 1);
  }
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    if (parts[best.left] != best.leftId || parts[best.right] != best.rightId) continue;  // one of them was joined meanwhile
    parts[best.left] = best.whole;
    parts[best.right] = kGone;
    next[best.left] = next[best.right];
    if (next[best.left] < parts.size()) previous[next[best.left]] = best.left;
    if (previous[best.left] < parts.size()) offer(previous[best.left], best.left);
    offer(best.left, next[best.left]);
  }
  std::copy_if(parts.begin(), parts.end(), std::back_inserter(ids), [](std::int64_t id) { return id != kGone; });
}

// Readable again, for messages.
std::string ClipTokenizer::text(const std::vector<std::int64_t>& ids) const {
  std::string bytes;
  const auto& alphabet = byteAlphabet();
  for (const std::int64_t id : ids) {
    const auto token = tokens_.find(id);
    std::string_view letters = token == tokens_.end() ? std::string_view() : token->second;
    const bool ends = letters.ends_with(kWordEnd);
    if (ends) letters.remove_suffix(kWordEnd.size());
    for (const char32_t letter : unicode::decode(letters))
      bytes += static_cast<char>(std::find(alphabet.begin(), alphabet.end(), letter) - alphabet.begin());
    if (ends) bytes += ' ';
  }
  while (bytes.ends_with(' ')) bytes.pop_back();
  return unicode::encode(unicode::decode(bytes));  // a cut inside a character leaves a part of it
}

}  // namespace quantspot::model
