// Who draws what: a file per cell in work, whose time is renewed while its owner lives.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace quantspot::evaluation {

struct ClaimOptions {
  std::chrono::milliseconds renew{3000};     // how often a held claim's time is renewed
  std::chrono::milliseconds expire{45000};   // a claim older than this belongs to nobody; above several renewals
};

// Works across hosts on one folder (a claim is made by an exclusive create). The claim of a process of this machine that is gone is
// free at once. Two that find the same stale claim at the same time may, very rarely, both draw the cell: it is the same cell, and
// is written whole by each.
class Claims {
 public:
  explicit Claims(std::filesystem::path folder, ClaimOptions options = {});
  ~Claims();                                 // gives back what is held
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  // False when somebody else has it. Throws std::runtime_error when the folder cannot be written.
  bool take(const std::string& key);
  void release(const std::string& key);
  // Whether a living claim of anybody is there.
  bool held(const std::string& key) const;
  // The cells that the process with this id on this machine has claimed; for a parent whose child has ended.
  std::set<std::string> of(int pid) const;

 private:
  bool create(const std::string& key);
  bool stale(const std::filesystem::path& path) const;
  void renewing(const std::stop_token& stop);

  std::filesystem::path folder_;
  ClaimOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> mine_;
  std::jthread renewer_;                     // last: it uses the others
};

}  // namespace quantspot::evaluation
