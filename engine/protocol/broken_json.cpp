#include "engine/protocol/broken_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace quantspot::protocol {
namespace {

using nlohmann::json;

constexpr std::size_t kLongest = 40;     // bytes of a key and of the text that are shown

constexpr std::string_view kBetween = ",:[]{} \t\r\n";

std::string plain(std::string_view text) {
  std::string shown(text.substr(0, kLongest));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  return shown;
}

// Follows the keys down to the place where the parser stops.
class Path : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return keys_.emplace_back(), true; }
  bool key(string_t& key) override { return keys_.back() = plain(key), true; }
  bool end_object() override { return keys_.pop_back(), true; }
  bool start_array(std::size_t) override { return keys_.emplace_back(), true; }
  bool end_array() override { return keys_.pop_back(), true; }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override { return read_ = position, false; }

  std::size_t read() const { return read_; }   // bytes, the end of the text counts as one
  std::string field() const {
    std::string path;
    for (const std::string& key : keys_)
      if (!key.empty()) path += (path.empty() ? "" : ".") + key;
    return path.size() > 4 * kLongest ? "…" + path.substr(path.size() - 4 * kLongest) : path;
  }

 private:
  std::vector<std::string> keys_;        // of each object that is open; a list has none
  std::size_t read_ = 0;
};

}  // namespace

std::string whereBroken(std::string_view text) {
  Path path;
  if (json::sax_parse(text, &path)) return {};
  const std::string field = path.field(), in = field.empty() ? "" : ", in " + field;
  if (path.read() > text.size()) return " at byte " + std::to_string(text.size() + 1) + in + ": it ends there";
  std::size_t start = path.read();       // the parser has read the word, or only begun it, or one byte more
  while (start > 1 && kBetween.find(text[start - 1]) != kBetween.npos) --start;
  while (start > 0 && kBetween.find(text[start - 1]) == kBetween.npos) --start;
  const std::string_view rest = text.substr(start);
  return " at byte " + std::to_string(start + 1) + in + ": '" + plain(rest.substr(0, rest.find_first_of(kBetween, 1))) + "' does not belong there";
}

}  // namespace quantspot::protocol
