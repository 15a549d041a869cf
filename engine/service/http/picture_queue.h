// Pictures that wait for the one variant that is served: a bounded line before one worker.
#pragma once

#include "engine/service/service.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace quantspot::service {

struct QueueFull : std::runtime_error { using std::runtime_error::runtime_error; };
struct ShuttingDown : std::runtime_error { using std::runtime_error::runtime_error; };

// All methods may be called from any thread.
class PictureQueue {
 public:
  using Clock = std::chrono::steady_clock;
  struct Picture { std::string png; nlohmann::json report; };   // the file's bytes

  // Draws with `base` (model and precision); at most `limit` requests wait beside the one that is drawn.
  PictureQueue(ServiceOptions options, protocol::GenerateParams base, std::size_t limit);
  ~PictureQueue();                        // as drain()

  // The recipes' pictures, drawn one after another. Throws QueueFull, ShuttingDown. The future throws what Service::sample() does, Cancelled
  // when `deadline` passed first, ShuttingDown when it was still waiting at drain().
  std::future<std::vector<Picture>> submit(std::vector<protocol::Recipe> recipes, Clock::time_point deadline);
  // What is drawn is finished, what waits is refused; returns then.
  void drain();

  struct Occupancy { std::size_t waiting = 0; bool drawing = false; };   // of one moment
  Occupancy occupancy() const;
  bool ready() const { return ready_; }   // the variant is loaded
  bool draining() const { return draining_; }
  // Why the variant could not be loaded; empty: it was not tried yet, or it could.
  std::string failure() const;

 private:
  struct Job {
    std::vector<protocol::Recipe> recipes;
    Clock::time_point deadline;
    std::promise<std::vector<Picture>> promise;
  };

  void work();
  void load(Service& service);
  void draw(Service& service, Job& job);

  const ServiceOptions options_;
  const protocol::GenerateParams base_;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;                  // under mutex_, as failure_
  std::string failure_;
  bool drawing_ = false;                  // under mutex_
  std::atomic<bool> ready_ = false, draining_ = false;
  std::thread worker_;                    // last: it uses the others
};

}  // namespace quantspot::service
