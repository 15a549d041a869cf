// How long the event loop stood still: a timer of one millisecond is late by as much.
#pragma once

#include <QElapsedTimer>
#include <QTimer>

#include <algorithm>

namespace quantspot::ui {

class LoopGap {
 public:
  LoopGap() {
    QObject::connect(&tick_, &QTimer::timeout, [this] { longest_ = std::max(longest_, since_.restart()); });
    since_.start();
    tick_.start(1);
  }
  qint64 stop() {                        // ms, the longest
    tick_.stop();
    return longest_;
  }

 private:
  qint64 longest_ = 0;
  QElapsedTimer since_;
  QTimer tick_;
};

}  // namespace quantspot::ui
