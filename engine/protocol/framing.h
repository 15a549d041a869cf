// Messages on a byte stream, framed as in the Language Server Protocol: "Content-Length: N\r\n\r\n" and N bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace quantspot::protocol {

// A 4096 × 4096 picture as base64 PNG stays under this; anything larger is a broken peer, not a message.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{256} << 20;

struct FramingError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string frame(std::string_view body);

// Takes bytes as they come and gives whole messages. Bytes between messages that are no header (a library that prints to
// stdout) are skipped and kept for the log. Not thread-safe.
class FrameReader {
 public:
  explicit FrameReader(std::size_t limit = kMaxMessageBytes) : limit_(limit) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole message, or nothing until more bytes come. Throws FramingError on a length that is no number or over the
  // limit; that header is then skipped, so that reading can go on with the next one.
  std::optional<std::string> next();
  // At the end of the stream: whether it ended inside a message.
  bool insideMessage() const { return body_.has_value() || !buffer_.empty(); }
  std::string takeGarbage() { return std::exchange(garbage_, {}); }

 private:
  bool readHeader();

  std::size_t limit_;
  std::string buffer_, garbage_;
  std::optional<std::size_t> body_;   // bytes of the message whose header has been read
};

}  // namespace quantspot::protocol
