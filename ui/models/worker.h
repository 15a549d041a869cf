// One thread that does one thing after another, for objects that belong to the thread that made them: database connections.
#pragma once

#include <QThread>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>

namespace quantspot::ui {

// post() and get() from any thread but its own. The destructor waits until all that was posted is done.
class Worker {
 public:
  Worker() : thread_(QThread::create([this] { work(); })) { thread_->start(); }
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    thread_->wait();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  // Waits for the result; throws what body() threw.
  template <class Body>
  auto get(Body body) {
    std::optional<decltype(body())> result;
    std::exception_ptr error;
    std::binary_semaphore done(0);
    post([&] {
      try {
        result = body();
      } catch (...) {
        error = std::current_exception();
      }
      done.release();
    });
    done.acquire();
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::unique_ptr<QThread> thread_;
};

}  // namespace quantspot::ui
