// Counters of the HTTP server, in the text form that Prometheus scrapes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace quantspot::service {

// What the server knows at the moment of a scrape.
struct ServerState {
  std::size_t queued = 0, queueLimit = 0;
  bool ready = false, drawing = false;
  std::string precision, version;
  std::int64_t peakBytes = 0;            // of this process
};

// All methods may be called from any thread.
class ServerMetrics {
 public:
  void request(const std::string& path, int code, double seconds);   // every answered request
  void picture(int steps, double seconds);                           // every picture that was drawn
  std::string text(const ServerState& state) const;

 private:
  static constexpr std::array<double, 11> kBuckets = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::array<std::uint64_t, kBuckets.size()> latency_{};             // not cumulative
  std::uint64_t latencyCount_ = 0, pictures_ = 0, steps_ = 0;
  double latencySum_ = 0, drawing_ = 0;
};

// The highest resident memory of this process; 0 where the system does not tell.
std::int64_t peakResidentBytes();

}  // namespace quantspot::service
