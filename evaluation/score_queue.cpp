#include "evaluation/score_queue.h"

#include "engine/protocol/base64.h"
#include "evaluation/noise_floor.h"

namespace quantspot::evaluation {

ScoreQueue::ScoreQueue(const Plan& plan, Store& store, MetricChoice metrics, std::string model, RealPictures real)
    : plan_(plan), store_(store), metrics_(std::move(metrics)), model_(std::move(model)), real_(std::move(real)) {}

void ScoreQueue::add(std::size_t prompt, std::size_t seed) {
  for (ScoreTask& task : missingScores(plan_, store_, metrics_.cells, prompt, seed))
    if (asked_.insert(task.key).second) cells_.push_back(std::move(task));
}

void ScoreQueue::addAll() {
  for (std::size_t prompt = 0; prompt < plan_.request().prompts.prompts.size(); ++prompt)
    for (std::size_t seed = 0; seed < plan_.request().seeds.size(); ++seed) add(prompt, seed);
  addRepeat();
}

void ScoreQueue::addRepeat() {
  for (ScoreTask& task : missingRepeatScores(plan_, store_, metrics_.cells))
    if (asked_.insert(task.key).second) cells_.push_back(std::move(task));
}

void ScoreQueue::addSets() {
  if (!sets_ && !metrics_.sets.empty()) sets_.emplace(plan_, store_, metrics_.sets, real_);
}

std::optional<ScoreJob> ScoreQueue::next() {
  ScoreJob job;
  if (!cells_.empty()) {
    job.cell = std::move(cells_.front());
    cells_.pop_front();
    const ScoreTask& task = *job.cell;
    job.params = scoreParams(task.metric, model_);
    job.params.image = protocol::toBase64(store_.png(task.cell.key)), job.params.prompt = task.prompt;
    if (task.baseline) job.params.reference = protocol::toBase64(store_.png(task.baseline->key));
    ++under_;
    return job;
  }
  if (!sets_) return std::nullopt;
  job.set = sets_->next();
  if (!job.set) return std::nullopt;
  job.params = job.set->params;
  ++under_;
  return job;
}

void ScoreQueue::done(const ScoreJob& job, const protocol::ScoreResult& result) {
  --under_;
  if (job.set) sets_->done(*job.set, result);
  else store_.putScore(job.cell->key, result);
}

void ScoreQueue::failed(const ScoreJob& job, const std::string& why) {
  --under_;
  if (job.set) sets_->failed(*job.set);
  reasons_.try_emplace(job.cell ? job.cell->metric.id : job.params.metric, why);
}

}  // namespace quantspot::evaluation
