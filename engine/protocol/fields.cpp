#include "engine/protocol/fields.h"

namespace quantspot::protocol {
namespace {

constexpr int kErrorId = 600;            // beyond those of nlohmann
constexpr std::size_t kLongest = 80;     // bytes of a value that are shown

// Lists and objects are not shown: their text may be endless, and is made by recursion.
std::string shown(const nlohmann::json& value) {
  if (value.is_structured()) return value.is_array() ? " (a list)" : " (an object)";
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return " = " + text;
}

// A key is whatever the peer sent.
std::string plain(std::string key) {
  for (char& c : key)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return key.size() > kLongest ? key.substr(0, kLongest) : key;
}

}  // namespace

FieldError::FieldError(std::string path, std::string wrong)
    : exception(kErrorId, ((path.empty() ? "the message" : path) + wrong).c_str()), path_(std::move(path)), wrong_(std::move(wrong)) {}

FieldError FieldError::in(const std::string& outer) const {
  const bool joined = path_.empty() || path_.front() == '[';
  return {plain(outer) + (joined ? "" : ".") + path_, wrong_};
}

void refuse(const nlohmann::json& value, const std::string& wanted) { throw FieldError("", shown(value) + " is not " + wanted); }

}  // namespace quantspot::protocol
