#include "engine/pipeline/transfer.h"

#include <c10/core/Event.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/Stream.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace quantspot::pipeline {
namespace {

// One thread that does one thing after the other; what is left when it goes is not begun any more.
class Worker {
 public:
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      leaving_ = true;
      tasks_.clear();
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  std::future<void> run(std::function<void()> work) {
    std::packaged_task<void()> task(std::move(work));
    std::future<void> done = task.get_future();
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
    changed_.notify_one();
    return done;
  }

 private:
  void loop() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return leaving_ || !tasks_.empty(); });
      if (leaving_) return;
      std::packaged_task<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool leaving_ = false;
  std::thread thread_;
};

void drop(const Group& group) {
  for (const auto& slot : group.slots) slot->drop();
}

// Orders a second stream of a device before and behind the one that computes. Nothing on a CPU.
class SecondStream {
 public:
  explicit SecondStream(const c10::Device& device) {
    if (device.is_cpu()) return;
    device_ = device.has_index() ? device : c10::impl::VirtualGuardImpl(device.type()).getDevice();
    stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(*device_);
  }

  // Runs `copies` on the stream; the result is what computing has to wait for.
  template <class Copies>
  std::optional<c10::Event> run(Copies&& copies) const {
    if (!stream_) {
      copies();
      return std::nullopt;
    }
    const c10::StreamGuard guard(*stream_);
    copies();
    c10::Event there(device_->type());
    there.record(*stream_);
    return there;
  }
  // Of the stream that the caller computes on.
  void blockComputing(const c10::Event& there) const { there.block(computing()); }
  // Copies that come later wait for what was computed until now.
  void followComputing() const {
    if (!stream_) return;
    c10::Event last(device_->type());
    last.record(computing());
    last.block(*stream_);
  }

 private:
  c10::Stream computing() const { return c10::impl::VirtualGuardImpl(device_->type()).getStream(*device_); }

  std::optional<c10::Device> device_;
  std::optional<c10::Stream> stream_;
};

class ThreadTransfer final : public Transfer {
 public:
  ThreadTransfer(const Groups& groups, const c10::Device& device) : groups_(groups), second_(device) {}
  ~ThreadTransfer() override { leaving_ = true; }   // and the worker ends what it is at

  void start(std::size_t group) override {
    coming_ = group;
    fetched_ = worker_.run([this, group] { bring(group); });
  }

  void wait(std::size_t group) override {
    if (coming_ != group) {              // nobody started it
      there_ = second_.run([&] { fetch(group); });
    } else {
      coming_ = kNone;
      fetched_.get();
    }
    if (there_) second_.blockComputing(*there_);
  }

  void release(std::size_t group) override {
    if (coming_ == group) {
      coming_ = kNone;
      fetched_.wait();                   // its error is nobody's
    }
    second_.followComputing();
    drop(groups_[group]);
  }

  void announce(std::size_t group) override {
    worker_.run([this, group] {
      for (const auto& slot : groups_[group].slots) slot->willNeed();
    });
  }

 private:
  void bring(std::size_t group) {
    for (const auto& slot : groups_[group].slots) slot->willNeed();
    there_ = second_.run([&] { fetch(group); });
  }

  // All of it or nothing.
  void fetch(std::size_t group) const {
    const c10::InferenceMode inference;
    try {
      for (const auto& slot : groups_[group].slots)
        if (!leaving_) slot->fetch();
    } catch (...) {
      drop(groups_[group]);
      throw;
    }
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  const Groups& groups_;
  const SecondStream second_;
  std::atomic<bool> leaving_ = false;
  std::size_t coming_ = kNone;
  std::future<void> fetched_;
  std::optional<c10::Event> there_;      // written before `fetched_` is ready
  Worker worker_;                        // last: it uses the others
};

}  // namespace

std::unique_ptr<Transfer> makeTransfer(const Groups& groups, const c10::Device& device) { return std::make_unique<ThreadTransfer>(groups, device); }

}  // namespace quantspot::pipeline
