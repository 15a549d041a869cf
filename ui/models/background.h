// Work that takes longer than a frame, off the thread of the window.
#pragma once

#include <QObject>
#include <QThread>

#include <functional>
#include <memory>
#include <optional>

namespace quantspot::ui {

// Belongs to one object and its thread. The destructor waits for what still runs; its results are then dropped.
class Background {
 public:
  explicit Background(QObject* owner) : owner_(owner) {}
  ~Background() {
    for (QThread* thread : threads_) thread->wait(), delete thread;
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // work() on a thread of its own, then done(result) or, when it threw, failed(line) on the owner's.
  template <class Result>
  void run(std::function<Result()> work, std::function<void(Result)> done, std::function<void(QString)> failed) {
    struct Outcome {
      std::optional<Result> result;
      QString problem;
    };
    auto outcome = std::make_shared<Outcome>();
    QThread* thread = QThread::create([outcome, work = std::move(work)] {
      try {
        outcome->result = work();
      } catch (const std::exception& error) {
        outcome->problem = QString::fromUtf8(error.what());
      }
    });
    threads_.push_back(thread);
    QObject::connect(thread, &QThread::finished, owner_, [this, thread, outcome, done = std::move(done), failed = std::move(failed)] {
      std::erase(threads_, thread);
      thread->wait();
      thread->deleteLater();
      if (outcome->result) done(std::move(*outcome->result));
      else failed(outcome->problem);
    });
    thread->start();
  }
  bool isRunning() const { return !threads_.empty(); }

 private:
  QObject* owner_;
  std::vector<QThread*> threads_;
};

}  // namespace quantspot::ui
