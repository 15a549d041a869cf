#include "engine/service/http/server_metrics.h"

#include <spdlog/fmt/fmt.h>

#include <sys/resource.h>

namespace quantspot::service {
namespace {

// Quotes, backslashes and line ends of a label.
std::string escaped(const std::string& label) {
  std::string out;
  for (const char c : label) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

std::string header(const char* name, const char* type, const char* help) { return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help); }

std::string single(const char* name, const char* type, const char* help, double value) { return header(name, type, help) + fmt::format("{} {}\n", name, value); }

}  // namespace

void ServerMetrics::request(const std::string& path, int code, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{path, code}];
  ++latencyCount_;
  latencySum_ += seconds;
  for (std::size_t i = 0; i < kBuckets.size(); ++i)
    if (seconds <= kBuckets[i]) {
      ++latency_[i];
      break;
    }
}

void ServerMetrics::picture(int steps, double seconds) {
  const std::lock_guard lock(mutex_);
  ++pictures_;
  steps_ += static_cast<std::uint64_t>(steps);
  drawing_ += seconds;
}

std::string ServerMetrics::text(const ServerState& state) const {
  const std::lock_guard lock(mutex_);
  std::string out = header("quantspot_info", "gauge", "The variant that is served.") +
                    fmt::format("quantspot_info{{precision=\"{}\",version=\"{}\"}} 1\n", escaped(state.precision), escaped(state.version));
  out += single("quantspot_ready", "gauge", "1 when the variant is loaded.", state.ready);
  out += header("quantspot_requests_total", "counter", "Answered requests by path and status code.");
  for (const auto& [key, count] : requests_) out += fmt::format("quantspot_requests_total{{path=\"{}\",code=\"{}\"}} {}\n", escaped(key.first), key.second, count);
  out += single("quantspot_queue_depth", "gauge", "Requests that wait.", static_cast<double>(state.queued));
  out += single("quantspot_drawing", "gauge", "1 while a request's pictures are drawn.", state.drawing);
  out += single("quantspot_queue_limit", "gauge", "Requests that may wait.", static_cast<double>(state.queueLimit));
  out += header("quantspot_request_seconds", "histogram", "Time from a request to its answer.");
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets.size(); ++i) out += fmt::format("quantspot_request_seconds_bucket{{le=\"{}\"}} {}\n", kBuckets[i], below += latency_[i]);
  out += fmt::format("quantspot_request_seconds_bucket{{le=\"+Inf\"}} {0}\nquantspot_request_seconds_sum {1}\nquantspot_request_seconds_count {0}\n", latencyCount_, latencySum_);
  out += single("quantspot_images_total", "counter", "Pictures drawn.", static_cast<double>(pictures_));
  out += single("quantspot_steps_total", "counter", "Denoising steps of these.", static_cast<double>(steps_));
  out += single("quantspot_image_seconds_total", "counter", "Time spent drawing them.", drawing_);
  return out + single("quantspot_peak_memory_bytes", "gauge", "Highest resident memory of this process.", static_cast<double>(state.peakBytes));
}

std::int64_t peakResidentBytes() {
  rusage usage{};
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? std::int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace quantspot::service
