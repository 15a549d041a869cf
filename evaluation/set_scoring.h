// Distances of sets of pictures: of each precision's pictures to real ones, or to the baseline's. Features of a picture and distances are kept in the
// store under what they are made of, so that nothing is computed twice.
#pragma once

#include "evaluation/metric_choice.h"
#include "evaluation/plan.h"
#include "evaluation/store.h"
#include "evaluation/summary.h"

#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace quantspot::evaluation {

// What sets are compared with. Nothing (path is empty): the baseline's pictures.
struct RealPictures {
  std::filesystem::path path;
  bool statistics = false;                                                  // one file (.npz): mu and sigma, or features
  std::vector<std::pair<std::filesystem::path, std::string>> files = {};   // and the SHA-256 of each
};
// A folder of PNG and JPEG, or a .npz file; "" gives nothing. Throws std::runtime_error: neither, or a folder without a picture.
RealPictures realPictures(const std::filesystem::path& path);

struct SetReport {
  SetFigures figures;                    // by what came: "fid", "fd-clip-tiny"
  // {"against", "n", "network", "network_sha256", "warnings", "paired": against the baseline, "published": {precision: {figure: number}}}, the
  // last as ScoreResult tells it; null where sets are too small.
  nlohmann::json told;
};
// One without a figure. n: pictures of each set; first: the first metric of what is to come.
SetReport emptySetReport(const std::string& against, std::size_t n, const Metric& first, bool paired);
void addDistance(SetReport& report, const std::string& precision, const Metric& metric, const protocol::ScoreResult& score);
// What the store holds, of the prompts and seeds that every precision has drawn. Below six of those there is nothing.
SetReport setFiguresOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, const RealPictures& real);

// One request to an engine.
struct SetTask {
  protocol::ScoreParams params;
  std::vector<std::string> features;     // the names of the rows that come; empty: a distance comes
  std::string distance;                  // its name
};

// Hands out what the store lacks; several engines may work at once. Not thread-safe; plan and store outlive it.
class SetScoring {
 public:
  SetScoring(const Plan& plan, Store& store, std::vector<Metric> metrics, RealPictures real);

  // Features first, then distances. Nothing: all is kept or handed out. Throws std::runtime_error when a picture cannot be read.
  std::optional<SetTask> next();
  void done(const SetTask& task, const protocol::ScoreResult& result);   // throws as Store does
  void failed(const SetTask& task);
  bool complete() const { return pictures_.empty() && distances_.empty() && under_ == 0; }
  std::size_t computed() const { return computed_; }                        // features that engines computed for it
  std::size_t left() const { return pictures_.size() + distances_.size(); }

 private:
  struct Picture { std::string name, cell; std::filesystem::path file; std::size_t metric; };   // of a cell, or a file
  struct Distance { std::string name; std::size_t metric; std::vector<std::string> a, b; };

  SetTask featureTask();
  std::optional<SetTask> distanceTask(const Distance& distance) const;

  Store& store_;
  std::vector<Metric> metrics_;
  RealPictures real_;
  std::deque<Picture> pictures_;
  std::deque<Distance> distances_;
  std::size_t under_ = 0, computed_ = 0;
};

}  // namespace quantspot::evaluation
