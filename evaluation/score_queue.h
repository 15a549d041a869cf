// All that an evaluation still has to score, one request to an engine after the other.
#pragma once

#include "evaluation/scoring.h"
#include "evaluation/set_scoring.h"

#include <map>
#include <set>

namespace quantspot::evaluation {

// A request: of a cell, or of a set.
struct ScoreJob {
  protocol::ScoreParams params;
  std::optional<ScoreTask> cell;
  std::optional<SetTask> set;
};

// Not thread-safe; plan and store outlive it. What could not be scored once is not tried again by this queue.
class ScoreQueue {
 public:
  ScoreQueue(const Plan& plan, Store& store, MetricChoice metrics, std::string model, RealPictures real);

  void add(std::size_t prompt, std::size_t seed);        // what that comparison lacks now
  void addAll();                         // and of the baseline's second drawing
  void addRepeat();                      // of that alone
  void addSets();                        // the last cell is drawn: sets count as left, now
  // Of cells first, then of sets where those were added. Nothing: there is nothing to ask now. Throws std::runtime_error when a picture cannot be
  // read.
  std::optional<ScoreJob> next();
  void done(const ScoreJob& job, const protocol::ScoreResult& result);   // throws as Store does
  void failed(const ScoreJob& job, const std::string& why);
  // Nothing is left or under way.
  bool complete() const { return cells_.empty() && under_ == 0 && (!sets_ || sets_->complete()); }
  std::size_t left() const { return cells_.size() + (sets_ ? sets_->left() : 0); }
  std::size_t computedFeatures() const { return sets_ ? sets_->computed() : 0; }
  const std::map<std::string, std::string>& reasons() const { return reasons_; }   // metric → why one could not be taken, the first
  const MetricChoice& metrics() const { return metrics_; }
  const RealPictures& real() const { return real_; }

 private:
  const Plan& plan_;
  Store& store_;
  MetricChoice metrics_;
  std::string model_;
  RealPictures real_;
  std::deque<ScoreTask> cells_;
  std::set<std::string> asked_;
  std::optional<SetScoring> sets_;
  std::size_t under_ = 0;
  std::map<std::string, std::string> reasons_;
};

}  // namespace quantspot::evaluation
