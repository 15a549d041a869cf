#include "engine/service/http/picture_queue.h"

#include "engine/pipeline/png.h"
#include "engine/service/errors.h"

#include <utility>

namespace quantspot::service {

PictureQueue::PictureQueue(ServiceOptions options, protocol::GenerateParams base, std::size_t limit)
    : options_(std::move(options)), base_(std::move(base)), limit_(limit), worker_([this] { work(); }) {}

PictureQueue::~PictureQueue() { drain(); }

std::future<std::vector<PictureQueue::Picture>> PictureQueue::submit(std::vector<protocol::Recipe> recipes, Clock::time_point deadline) {
  const std::lock_guard lock(mutex_);
  if (draining_) throw ShuttingDown("the server is shutting down");
  if (jobs_.size() >= limit_) throw QueueFull("all " + std::to_string(limit_) + " places in the queue are taken; try again later");
  std::future<std::vector<Picture>> pictures = jobs_.emplace_back(Job{std::move(recipes), deadline, {}}).promise.get_future();
  wake_.notify_one();
  return pictures;
}

void PictureQueue::drain() {
  std::deque<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    std::swap(refused, jobs_);
    wake_.notify_one();
  }
  for (Job& job : refused) job.promise.set_exception(std::make_exception_ptr(ShuttingDown("the server is shutting down")));
  if (worker_.joinable()) worker_.join();
}

PictureQueue::Occupancy PictureQueue::occupancy() const {
  const std::lock_guard lock(mutex_);
  return {jobs_.size(), drawing_};
}

std::string PictureQueue::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

// One step of a picture, so that the first request waits for no loading.
void PictureQueue::load(Service& service) try {
  protocol::GenerateParams params = base_;
  params.recipe.steps = 1;
  service.sample(params, {});
  ready_ = true;
} catch (...) {
  const std::lock_guard lock(mutex_);
  failure_ = describe(std::current_exception()).what();
}

void PictureQueue::draw(Service& service, Job& job) try {
  std::atomic<bool> cancel = false;
  Control control;
  control.cancel = &cancel;
  control.progress = [&](const std::string&, int, int) { cancel = Clock::now() > job.deadline; };
  if (Clock::now() > job.deadline) throw pipeline::Cancelled();
  std::vector<Picture> pictures;
  for (const protocol::Recipe& recipe : job.recipes) {
    protocol::GenerateParams params = base_;
    params.recipe = recipe;
    pipeline::Sample made = service.sample(params, control);
    const std::vector<std::uint8_t> png = pipeline::encodePng(made.image);
    pictures.push_back({{png.begin(), png.end()}, std::move(made.report)});
  }
  job.promise.set_value(std::move(pictures));
} catch (...) {
  job.promise.set_exception(std::current_exception());
}

void PictureQueue::work() {
  Service service(options_);
  load(service);
  while (true) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return draining_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    drawing_ = true;
    lock.unlock();
    draw(service, job);
    lock.lock();
    drawing_ = false;
  }
}

}  // namespace quantspot::service
