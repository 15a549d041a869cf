#include "evaluation/set_scoring.h"

#include "engine/model/sha256.h"
#include "engine/protocol/base64.h"
#include "evaluation/picture_file.h"

#include <algorithm>
#include <stdexcept>

namespace quantspot::evaluation {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kAtOnce = 8;       // pictures of one request

std::string hashOf(const Bytes& bytes) { return model::sha256Hex(bytes.data(), bytes.size()); }

// Of the features that a set consists of: its name.
std::string nameOf(const std::vector<std::string>& members) {
  model::Sha256 hash;
  for (const std::string& member : members) hash.add(member + '\n');
  return hash.hex();
}

std::string featureName(const std::string& picture, const Metric& metric) { return scoreKey("features", picture, "", metric.weights_sha256); }

// The sets of an evaluation, as pictures by the hash of their pixels.
class Sets {
 public:
  Sets(const Plan& plan, const Store& store, const RealPictures& real) : plan_(plan), real_(real) {
    const PlanRequest& request = plan.request();
    for (std::size_t prompt = 0; prompt < request.prompts.prompts.size(); ++prompt)
      for (std::size_t seed = 0; seed < request.seeds.size(); ++seed) add(store, prompt, seed);
  }

  std::size_t size() const { return hashes_.size(); }
  bool enough() const { return size() >= kFewest && plan_.request().precisions.size() > (real_.path.empty() ? 1U : 0U); }
  std::size_t first() const { return real_.path.empty() ? 1 : 0; }         // precision with a distance
  // Names of the features; keys: of the cells that they are of.
  std::vector<std::string> features(std::size_t precision, const Metric& metric) const {
    std::vector<std::string> names;
    for (const auto& row : hashes_) names.push_back(featureName(row[precision], metric));
    return names;
  }
  std::string cellOf(std::size_t row, std::size_t precision) const { return plan_.cell(at_[row].first, at_[row].second, precision).key; }
  std::vector<std::string> reference(const Metric& metric) const {
    if (real_.path.empty()) return features(0, metric);
    std::vector<std::string> names;
    for (const auto& [file, hash] : real_.files) names.push_back(real_.statistics ? hash : featureName(hash, metric));
    return names;
  }
  std::string distance(std::size_t precision, const Metric& metric) const {
    const std::string drawn = real_.path.empty() ? " of pairs" : "";   // how the interval is made
    return scoreKey(metric.id + drawn, nameOf(features(precision, metric)), nameOf(reference(metric)), metric.weights_sha256);
  }

 private:
  void add(const Store& store, std::size_t prompt, std::size_t seed) {
    std::vector<std::string> row;
    for (std::size_t precision = 0; precision < plan_.request().precisions.size(); ++precision) {
      row.push_back(store.pixels(plan_.cell(prompt, seed, precision).key));
      if (row.back().empty()) return;
    }
    hashes_.push_back(std::move(row));
    at_.emplace_back(prompt, seed);
  }

  const Plan& plan_;
  const RealPictures& real_;
  std::vector<std::vector<std::string>> hashes_;     // of each prompt and seed that every precision has drawn, by precision
  std::vector<std::pair<std::size_t, std::size_t>> at_;
};

std::string pictureHash(const fs::path& picture) {
  const auto bytes = readBytes(picture);
  if (const std::string why = unreadableReason(bytes); !why.empty()) throw std::runtime_error(picture.string() + " " + why);
  return hashOf(bytes);
}

}  // namespace

RealPictures realPictures(const fs::path& path) {
  RealPictures real{path};
  if (path.empty()) return real;
  std::error_code error;
  if (fs::is_regular_file(path, error) && path.extension() == ".npz") {
    real.statistics = true;
    real.files.emplace_back(path, hashOf(readBytes(path)));
    return real;
  }
  if (!fs::is_directory(path, error)) throw std::runtime_error(path.string() + " is neither a folder of pictures nor a file of statistics (.npz)");
  for (const auto& entry : fs::directory_iterator(path))
    if (isPictureName(entry.path())) real.files.emplace_back(entry.path(), pictureHash(entry.path()));
  if (real.files.empty()) throw std::runtime_error(path.string() + " holds no picture (PNG, JPEG, WebP)");
  std::ranges::sort(real.files);
  return real;
}

SetReport emptySetReport(const std::string& against, std::size_t n, const Metric& first, bool paired) {
  return {{}, {{"against", against}, {"n", n}, {"network", first.needs.empty() ? "inception" : "clip-tiny"}, {"network_sha256", first.weights_sha256},
               {"paired", paired}, {"published", json::object()}, {"warnings", json::array()}}};
}

void addDistance(SetReport& report, const std::string& precision, const Metric& metric, const protocol::ScoreResult& score) {
  Estimate& estimate = report.figures[precision][metric.gives] = {score.value, static_cast<std::size_t>(score.n), std::nullopt};
  if (score.ci95) estimate.ci95 = Interval{(*score.ci95)[0], (*score.ci95)[1]};
  if (score.published) report.told["published"][precision][metric.gives] = *score.published;
  auto warnings = report.told["warnings"].get<std::set<std::string>>();
  warnings.insert(score.warnings.begin(), score.warnings.end());
  report.told["warnings"] = warnings;
}

SetReport setFiguresOf(const Plan& plan, const Store& store, const std::vector<Metric>& metrics, const RealPictures& real) {
  const Sets sets(plan, store, real);
  if (!sets.enough() || metrics.empty()) return {};
  const auto& precisions = plan.request().precisions;
  SetReport report = emptySetReport(real.path.empty() ? precisions.front() : real.path.string(), sets.size(), metrics.front(), real.path.empty());
  for (const Metric& metric : metrics)
    for (std::size_t v = sets.first(); v < precisions.size(); ++v) {
      const auto kept = store.score(sets.distance(v, metric));
      if (!kept || !kept->is_object() || !kept->value("value", json()).is_number()) continue;
      addDistance(report, precisions[v], metric, kept->get<protocol::ScoreResult>());
    }
  if (report.figures.empty()) report.told = nullptr;
  return report;
}

SetScoring::SetScoring(const Plan& plan, Store& store, std::vector<Metric> metrics, RealPictures real)
    : store_(store), metrics_(std::move(metrics)), real_(std::move(real)) {
  const Sets sets(plan, store, real_);
  if (!sets.enough()) return;
  std::set<std::string> asked;
  const auto want = [&](const std::string& name, const std::string& cell, const fs::path& file, std::size_t metric) {
    if (asked.insert(name).second && !store_.features(name)) pictures_.push_back({name, cell, file, metric});
  };
  for (std::size_t m = 0; m < metrics_.size(); ++m)
    for (std::size_t v = sets.first(); v < plan.request().precisions.size(); ++v) {
      Distance distance{sets.distance(v, metrics_[m]), m, sets.features(v, metrics_[m]), real_.statistics ? std::vector<std::string>()
                        : sets.reference(metrics_[m])};
      if (store_.score(distance.name)) continue;
      for (std::size_t i = 0; i < sets.size(); ++i) want(distance.a[i], sets.cellOf(i, v), {}, m);
      for (std::size_t i = 0; i < distance.b.size(); ++i)
        real_.path.empty() ? want(distance.b[i], sets.cellOf(i, 0), {}, m) : want(distance.b[i], "", real_.files[i].first, m);
      distances_.push_back(std::move(distance));
    }
}

SetTask SetScoring::featureTask() {
  SetTask task;
  const std::size_t metric = pictures_.front().metric;
  task.params.metric = metrics_[metric].metric, task.params.clip = metrics_[metric].clip, task.params.return_features = true;
  while (!pictures_.empty() && task.features.size() < kAtOnce && pictures_.front().metric == metric) {
    const Picture& picture = pictures_.front();
    task.params.images.push_back(protocol::toBase64(picture.cell.empty() ? readBytes(picture.file) : store_.png(picture.cell)));
    task.features.push_back(picture.name);
    pictures_.pop_front();
  }
  return task;
}

// Nothing where a picture has no features: it was told why when they were asked for.
std::optional<SetTask> SetScoring::distanceTask(const Distance& distance) const {
  SetTask task;
  task.distance = distance.name;
  task.params.metric = metrics_[distance.metric].metric, task.params.clip = metrics_[distance.metric].clip;
  for (const auto& [names, rows] : {std::pair{&distance.a, &task.params.image_features}, std::pair{&distance.b, &task.params.reference_features}})
    for (const std::string& name : *names) {
      auto row = store_.features(name);
      if (!row) return std::nullopt;
      rows->push_back(std::move(*row));
    }
  task.params.paired = real_.path.empty();         // both in the order of prompts and seeds
  if (real_.statistics) task.params.reference_file = protocol::toBase64(readBytes(real_.path));
  return task;
}

std::optional<SetTask> SetScoring::next() {
  if (!pictures_.empty()) {
    SetTask task = featureTask();
    ++under_;
    return task;
  }
  if (under_ > 0) return std::nullopt;   // features that distances need are under way
  while (!distances_.empty()) {
    auto task = distanceTask(distances_.front());
    distances_.pop_front();
    if (!task) continue;
    ++under_;
    return task;
  }
  return std::nullopt;
}

void SetScoring::done(const SetTask& task, const protocol::ScoreResult& result) {
  --under_;
  if (task.features.empty()) return store_.putScore(task.distance, result);
  for (std::size_t i = 0; i < std::min(task.features.size(), result.features.size()); ++i) {
    store_.putFeatures(task.features[i], result.features[i]);
    ++computed_;
  }
}

void SetScoring::failed(const SetTask&) { --under_; }

}  // namespace quantspot::evaluation
