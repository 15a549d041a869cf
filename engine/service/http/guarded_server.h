// httplib's server, which gives every connection a bounded time and number of bytes to ask in.
#pragma once

#include <httplib.h>

#include <chrono>

namespace quantspot::service {

struct ConnectionLimits {
  std::size_t requestBytes = 96 * 1024;          // line, headers and body together
  std::chrono::milliseconds ask{15000};          // until the request is read whole
  std::chrono::milliseconds take{30000};         // in which the client takes the answer
};

// One request a connection. httplib 0.11 bounds a single read and a single header line only: without this, a client that sends a byte now and
// then, header after header, or a chunked body without end holds a thread or the memory for as long as it likes.
class GuardedServer : public httplib::Server {
 public:
  explicit GuardedServer(ConnectionLimits limits = {}) : limits_(limits) {}

 private:
  bool process_and_close_socket(socket_t socket) override;

  const ConnectionLimits limits_;
};

}  // namespace quantspot::service
