#include "engine/protocol/framing.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace quantspot::protocol {
namespace {

constexpr std::string_view kLength = "content-length:";
constexpr std::string_view kEnd = "\r\n\r\n";

bool sameIgnoringCase(char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; }

std::size_t findHeader(const std::string& buffer) {
  const auto at = std::search(buffer.begin(), buffer.end(), kLength.begin(), kLength.end(), sameIgnoringCase);
  return at == buffer.end() ? std::string::npos : static_cast<std::size_t>(at - buffer.begin());
}

std::optional<std::size_t> parseLength(std::string_view header) {
  const auto first = header.find_first_not_of(' ', kLength.size());
  if (first == std::string_view::npos) return {};
  const std::string_view digits = header.substr(first, header.find_first_of(" \r", first) - first);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return {};
  return length;
}

}  // namespace

std::string frame(std::string_view body) {
  std::string out = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return out.append(body);
}

bool FrameReader::readHeader() {
  const std::size_t begin = findHeader(buffer_);
  if (begin == std::string::npos) {
    // The tail may be the first half of a header.
    const std::size_t keep = std::min(buffer_.size(), kLength.size() - 1);
    const std::size_t drop = buffer_.size() - keep;
    garbage_.append(buffer_, 0, drop);
    buffer_.erase(0, drop);
    return false;
  }
  garbage_.append(buffer_, 0, begin);
  buffer_.erase(0, begin);
  const std::size_t end = buffer_.find(kEnd);
  if (end == std::string::npos && buffer_.size() < 4096) return false;
  const std::string header = buffer_.substr(0, std::min(end, buffer_.find("\r\n")));
  const auto length = end == std::string::npos ? std::nullopt : parseLength(header);
  buffer_.erase(0, end == std::string::npos ? kLength.size() : end + kEnd.size());
  if (!length) throw FramingError("message header '" + header.substr(0, 60) + "' holds no length");
  if (*length > limit_)
    throw FramingError("message of " + std::to_string(*length) + " bytes is over the limit of " + std::to_string(limit_));
  body_ = length;
  return true;
}

std::optional<std::string> FrameReader::next() {
  if (!body_ && !readHeader()) return {};
  if (buffer_.size() < *body_) return {};
  std::string message = buffer_.substr(0, *body_);
  buffer_.erase(0, *body_);
  body_.reset();
  return message;
}

}  // namespace quantspot::protocol
