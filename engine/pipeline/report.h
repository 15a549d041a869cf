// The pieces of a sample's report (schema 1 of the design) that are the same for every sample, and its stopwatch.
#pragma once

#include "engine/model/layers.h"
#include "engine/pipeline/memory.h"
#include "quant/policy.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace quantspot::pipeline {

nlohmann::json engineBlock(const std::string& device);                 // version, libtorch, device, cpu_features, threads
nlohmann::json policyBlock(const quant::Policy& policy);               // skip, layers
nlohmann::json weightsBlock(std::int64_t bytes, const std::vector<model::LayerInfo>& layers);

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Time and peak memory by phase. Phases may come again: seconds add up, peaks are the highest.
class Meter {
 public:
  template <class Body>
  auto phase(const char* time, const char* peak, Body&& body) {
    memory_.reset();
    struct Close {
      Meter& meter;
      const char *time, *peak;
      Stopwatch watch;
      ~Close() { meter.add(time, peak, watch.seconds()); }
    } close{*this, time, peak, {}};
    return body();
  }
  // Of `seconds` already counted as `from`, these belong to `to`.
  void move(const char* from, const char* to, double seconds);

  const nlohmann::json& seconds() const { return seconds_; }
  const nlohmann::json& peaks() const { return peaks_; }

 private:
  void add(const char* time, const char* peak, double seconds);

  PeakMemory memory_;
  nlohmann::json seconds_ = nlohmann::json::object(), peaks_ = nlohmann::json::object();
};

}  // namespace quantspot::pipeline
