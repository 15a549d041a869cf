#include "engine/service/stdio.h"

#include "engine/protocol/framing.h"
#include "engine/service/server.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace quantspot::service {
namespace {

// The frames' own descriptor; children do not inherit it.
class FrameOutput {
 public:
  FrameOutput() : descriptor_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
    if (descriptor_ < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) throw std::system_error(errno, std::generic_category(), "stdout");
  }
  ~FrameOutput() { ::close(descriptor_); }
  FrameOutput(const FrameOutput&) = delete;
  FrameOutput& operator=(const FrameOutput&) = delete;

  // A peer that is gone is noticed by the reader as the end of stdin.
  void write(const std::string& message) const {
    const std::string bytes = protocol::frame(message);
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      done += static_cast<std::size_t>(n);
    }
  }

 private:
  int descriptor_;
};

void receiveAll(protocol::FrameReader& reader, Server& server) {
  while (!server.stopped()) {
    try {
      const auto message = reader.next();
      if (!message) return;
      server.receive(*message);
    } catch (const protocol::FramingError& error) {
      server.reportBroken(error.what());
    }
  }
}

}  // namespace

int serveStdio(Service& service) {
  std::signal(SIGPIPE, SIG_IGN);
  const FrameOutput output;
  protocol::FrameReader reader;
  Server server(service, [&](const std::string& message) { output.write(message); });
  std::array<char, 65536> chunk;
  while (!server.stopped()) {
    const ssize_t n = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    reader.feed({chunk.data(), static_cast<std::size_t>(n)});
    receiveAll(reader, server);
    if (const std::string garbage = reader.takeGarbage(); !garbage.empty())
      std::fprintf(stderr, "quantspot-engine: skipped %zu bytes between messages\n", garbage.size());
  }
  if (server.stopped() || !reader.insideMessage()) return 0;
  std::fprintf(stderr, "quantspot-engine: the input ended inside a message\n");
  return 1;
}

}  // namespace quantspot::service
