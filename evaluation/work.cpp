#include "evaluation/work.h"

#include <algorithm>

namespace quantspot::evaluation {

Work::Work(const Plan& plan, Store& store, Claims& claims, WorkOptions options)
    : plan_(plan), store_(store), claims_(claims), options_(std::move(options)), states_(plan.cells().size(), State::Open) {
  counts_.cells = states_.size();
  for (std::size_t i = 0; i < states_.size(); ++i) look(i);
  counts_.before = counts_.finished;
}

std::size_t Work::indexOf(const Cell& cell) const {
  const PlanRequest& request = plan_.request();
  return (cell.prompt * request.seeds.size() + cell.seed) * request.precisions.size() + cell.precision;
}

bool Work::wantsLatents(const Cell& cell) const { return cell.prompt * plan_.request().seeds.size() + cell.seed < options_.withLatents; }

bool Work::isWatched(const Cell& cell) const {
  const std::size_t seeds = plan_.request().seeds.size(), comparisons = plan_.request().prompts.prompts.size() * seeds;
  return cell.prompt * seeds + cell.seed == std::min<std::size_t>(1, comparisons - 1);
}

void Work::set(std::size_t index, State state) {
  if (states_[index] != State::Open) return;
  states_[index] = state;
  ++(state == State::Finished ? counts_.finished : counts_.failed);
}

void Work::look(std::size_t index) {
  if (states_[index] != State::Open) return;
  const Cell& cell = plan_.cells()[index];
  if (store_.finished(cell.key, wantsLatents(cell))) set(index, State::Finished);
  else if (store_.failure(cell.key, options_.run)) set(index, State::Failed);
}

bool Work::claim(std::size_t index) {
  look(index);
  if (states_[index] != State::Open || !claims_.take(plan_.cells()[index].key)) return false;
  look(index);                           // it may have been finished just before its claim was given back
  if (states_[index] == State::Open) return true;
  claims_.release(plan_.cells()[index].key);
  return false;
}

std::vector<Cell> Work::next() {
  const PlanRequest& request = plan_.request();
  std::vector<Cell> taken;
  for (std::size_t p = 0; p < request.prompts.prompts.size(); ++p)
    for (std::size_t from = 0; from < request.seeds.size(); from += options_.batch)
      for (std::size_t v = 0; v < request.precisions.size(); ++v) {
        for (std::size_t s = from; s < std::min(from + options_.batch, request.seeds.size()); ++s) {
          const Cell& cell = plan_.cell(p, s, v);
          if (states_[indexOf(cell)] == State::Open && claim(indexOf(cell))) taken.push_back(cell);
        }
        if (!taken.empty()) return taken;
      }
  return taken;
}

void Work::done(const Cell& cell, const Drawn& drawn) {
  store_.put(cell.key, drawn);
  set(indexOf(cell), State::Finished);
  claims_.release(cell.key);
}

void Work::failed(const Cell& cell, const std::string& why) {
  store_.fail(cell.key, options_.run, why);
  set(indexOf(cell), State::Failed);
  claims_.release(cell.key);
}

void Work::giveBack(const Cell& cell) { claims_.release(cell.key); }

bool Work::complete() {
  for (std::size_t i = 0; i < states_.size(); ++i) look(i);
  return counts_.finished + counts_.failed == counts_.cells;
}

std::map<std::size_t, std::size_t> Work::left() const {
  std::map<std::size_t, std::size_t> open;
  for (std::size_t i = 0; i < states_.size(); ++i)
    if (states_[i] == State::Open) ++open[plan_.cells()[i].precision];
  return open;
}

}  // namespace quantspot::evaluation
