#include "engine/model/charsmap.h"

#include "engine/model/unicode.h"

#include <cstring>
#include <stdexcept>

namespace quantspot::model {
namespace {

// A length-delimited field of a protobuf message; nothing when the message has none with this number or is damaged.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view message) : rest_(message) {}

  std::optional<std::string_view> field(std::uint64_t number) {
    constexpr std::size_t kFixed[] = {0, 8, 0, 0, 0, 4};
    while (!rest_.empty()) {
      const std::uint64_t key = varint(), type = key & 7;
      if (type == 0) {
        varint();
        continue;
      }
      if (type != 1 && type != 2 && type != 5) return std::nullopt;
      const std::uint64_t size = type == 2 ? varint() : kFixed[type];
      if (size > rest_.size()) return std::nullopt;
      const std::string_view value = rest_.substr(0, size);
      rest_.remove_prefix(size);
      if (type == 2 && key >> 3 == number) return value;
    }
    return std::nullopt;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; !rest_.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }

  std::string_view rest_;
};

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  std::uint32_t trieBytes = 0;
  if (blob.size() >= 4) std::memcpy(&trieBytes, blob.data(), 4);
  if (blob.size() < 8 || trieBytes == 0 || trieBytes % 4 != 0 || trieBytes > blob.size() - 4) throw std::invalid_argument("the charsmap is damaged");
  trie_.resize(trieBytes / 4);
  std::memcpy(trie_.data(), blob.data() + 4, trieBytes);
  replacements_ = blob.substr(4 + trieBytes);
}

std::optional<Charsmap> Charsmap::fromModelProto(std::string_view proto) {
  constexpr std::uint64_t kNormalizerSpec = 3, kPrecompiledCharsmap = 2;
  const auto spec = ProtoReader(proto).field(kNormalizerSpec);
  const auto blob = spec ? ProtoReader(*spec).field(kPrecompiledCharsmap) : std::nullopt;
  return blob && !blob->empty() ? std::optional(Charsmap(*blob)) : std::nullopt;
}

// Units of Darts-clone: bits 0-7 label, 8 has a leaf, 10-30 offset (in units of 256 when bit 9 is set); a leaf holds its value.
std::optional<std::string_view> Charsmap::replacement(std::string_view key) const {
  const auto offset = [](std::uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); };
  std::uint32_t node = offset(trie_[0]);
  for (const char c : key) {
    const auto byte = static_cast<std::uint8_t>(c);
    node ^= byte;
    if (byte == 0 || node >= trie_.size() || (trie_[node] & 0x800000FFU) != byte) return std::nullopt;
    const bool leaf = trie_[node] >> 8 & 1;
    node ^= offset(trie_[node]);
    if (!leaf) continue;
    const std::uint32_t where = node < trie_.size() ? trie_[node] & 0x7FFFFFFFU : 0xFFFFFFFFU;
    if (where >= replacements_.size()) return std::nullopt;
    return std::string_view(replacements_.c_str() + where);
  }
  return std::nullopt;
}

std::u32string Charsmap::normalize(std::u32string_view text) const {
  constexpr std::size_t kWholeBelow = 6;  // bytes; longer graphemes are looked up character by character
  std::string out;
  while (!text.empty()) {
    const auto grapheme = text.substr(0, unicode::graphemeLength(text));
    text.remove_prefix(grapheme.size());
    const std::string whole = unicode::encode(grapheme);
    if (const auto mapped = whole.size() < kWholeBelow ? replacement(whole) : std::nullopt) {
      out += *mapped;
      continue;
    }
    for (const char32_t code : grapheme) {
      const std::string single = unicode::encode({&code, 1});
      out += replacement(single).value_or(single);
    }
  }
  return unicode::decode(out);
}

}  // namespace quantspot::model
