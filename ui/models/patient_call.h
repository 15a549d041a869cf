// A call on another thread that is waited for on the spot for a moment, and otherwise comes back later.
#pragma once

#include "ui/models/worker.h"

#include <QObject>

#include <chrono>
#include <semaphore>
#include <utility>

namespace quantspot::ui {

using Done = std::function<void(std::exception_ptr)>;

// Runs body on the worker, then done (with what body threw, or null) on the context's thread: before this returns when it took no longer than
// patience_ms, else later. A context that is gone hears nothing.
inline void callPatiently(Worker& worker, QObject* context, int patience_ms, std::function<void()> body, Done done) {
  struct Outcome {
    std::exception_ptr error;
    std::binary_semaphore ready{0};
    bool told = false;                     // on the context's thread
  };
  auto outcome = std::make_shared<Outcome>();
  const auto tell = [outcome, done = std::move(done)] {
    if (!std::exchange(outcome->told, true)) done(outcome->error);
  };
  worker.post([context, outcome, tell, body = std::move(body)] {
    try {
      body();
    } catch (...) {
      outcome->error = std::current_exception();
    }
    outcome->ready.release();
    QMetaObject::invokeMethod(context, tell, Qt::QueuedConnection);
  });
  if (outcome->ready.try_acquire_for(std::chrono::milliseconds(patience_ms))) tell();
}

}  // namespace quantspot::ui
