#include "engine/service/http/guarded_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace quantspot::service {
namespace {

using Clock = std::chrono::steady_clock;

// Whether the socket is ready before `deadline`.
bool ready(socket_t socket, short event, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd one{socket, event, 0};
    const int found = ::poll(&one, 1, static_cast<int>(left));
    if (found > 0) return true;
    if (found == 0 || errno != EINTR) return false;
  }
}

// What httplib reads a request from and writes the answer to.
class BoundedStream final : public httplib::Stream {
 public:
  BoundedStream(socket_t socket, const ConnectionLimits& limits)
      : socket_(socket), limits_(limits), left_(limits.requestBytes), askBefore_(Clock::now() + limits.ask) {}

  bool is_readable() const override { return at_ < filled_ || ready(socket_, POLLIN, askBefore_); }

  bool is_writable() const override {
    if (takeBefore_ == Clock::time_point{}) takeBefore_ = Clock::now() + limits_.take;   // drawing between the two is not the client's time
    return ready(socket_, POLLOUT, takeBefore_);
  }

  ssize_t read(char* to, std::size_t size) override {
    if (at_ == filled_ && !fill()) return -1;
    const std::size_t count = std::min(size, filled_ - at_);
    std::memcpy(to, buffer_.data() + at_, count);
    at_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, std::size_t size) override { return is_writable() ? ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1; }

  void get_remote_ip_and_port(std::string&, int&) const override {}   // nothing here asks who it is
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool fill() {
    const std::size_t most = std::min(buffer_.size(), left_);
    if (most == 0 || !ready(socket_, POLLIN, askBefore_)) return false;
    const ssize_t count = ::recv(socket_, buffer_.data(), most, 0);
    at_ = 0;
    filled_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    left_ -= filled_;
    return filled_ > 0;
  }

  const socket_t socket_;
  const ConnectionLimits& limits_;
  std::size_t left_;
  const Clock::time_point askBefore_;
  mutable Clock::time_point takeBefore_;         // since the first write
  std::array<char, 4096> buffer_;
  std::size_t at_ = 0, filled_ = 0;
};

// A socket closed with bytes unread resets the connection, and the answer with it: what a refused client still sends is let in for a moment.
void closeGently(socket_t socket) {
  ::shutdown(socket, SHUT_WR);
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(500);
  std::array<char, 4096> rest;
  for (int i = 0; i < 64 && ready(socket, POLLIN, end); ++i)
    if (::recv(socket, rest.data(), rest.size(), 0) <= 0) break;
  ::close(socket);
}

}  // namespace

bool GuardedServer::process_and_close_socket(socket_t socket) {
  BoundedStream stream(socket, limits_);
  bool closed = false;
  const bool answered = process_request(stream, true, closed, nullptr);
  closeGently(socket);
  return answered;
}

}  // namespace quantspot::service
