#include "ui/views/result_entries.h"

#include "study/ratings.h"
#include "ui/models/compare_session.h"
#include "ui/models/precision_names.h"

#include <algorithm>

namespace quantspot::views {
namespace {

bool isReference(const study::Sample& sample) { return sample.precision == QLatin1String(study::kReference); }

ResultEntry entryOf(const ui::SampleResult& result) {
  ResultEntry entry{result.image, figuresOf(result.sample), {}, {}};
  entry.truth.precision = ui::shortName(entry.figures.precision);
  return entry;
}

// Adds what was said of the tile and whether it was right.
void judge(ResultEntry& entry, const ui::SampleResult& result, const study::AnsweredTrial& trial, int slot) {
  const QString said = trial.choices.value(slot);
  if (trial.task == study::Task::NameEach) {
    entry.said = ui::shortName(said);
    entry.truth.verdict = said == result.sample.precision ? TileTruth::Right : TileTruth::Wrong;
    return;
  }
  if (trial.task == study::Task::Rate) {
    entry.said = said + QStringLiteral(" ") + study::gradeWord(said.toInt()).toLower();
    entry.truth.note = said;                           // the word is in the panel: captions are narrow
    return;
  }
  const bool odd = !isReference(result.sample), picked = !said.isEmpty();
  if (picked) entry.said = QStringLiteral("the quantized one");
  if (picked || odd) entry.truth.verdict = picked && odd ? TileTruth::Right : picked ? TileTruth::Wrong : TileTruth::Told;
}

std::vector<ResultEntry> judged(const std::vector<const ui::SampleResult*>& results, const study::AnsweredTrial& trial) {
  std::vector<ResultEntry> entries;
  for (std::size_t slot = 0; slot < results.size(); ++slot) {
    entries.push_back(entryOf(*results[slot]));
    judge(entries.back(), *results[slot], trial, static_cast<int>(slot));
  }
  return entries;
}

// In the slot order of a stored trial; empty when one of its samples is gone.
std::vector<const ui::SampleResult*> inOrder(const ui::ComparisonResult& comparison, const study::AnsweredTrial& trial) {
  std::vector<const ui::SampleResult*> results;
  for (const qint64 id : trial.slot_samples) {
    const auto found = std::find_if(comparison.samples.begin(), comparison.samples.end(), [id](const auto& s) { return s.sample.id == id; });
    if (found == comparison.samples.end() || found->image.isNull()) return {};
    results.push_back(&*found);
  }
  return results;
}

}  // namespace

std::vector<ResultEntry> resultEntries(ui::CompareSession& session) {
  const ui::TrialController* trial = session.trial();
  if (trial->state() == ui::TrialController::State::Revealed) {
    const std::vector<ui::SampleResult> samples = trial->samples();
    std::vector<const ui::SampleResult*> results;
    for (const auto& sample : samples) results.push_back(&sample);
    return judged(results, trial->answered());
  }
  const ui::ComparisonResult* comparison = session.comparison();
  if (!comparison) return {};
  const auto trials = session.pastTrials();
  if (!trials.empty())
    if (const auto results = inOrder(*comparison, trials.back()); !results.empty()) return judged(results, trials.back());
  std::vector<ResultEntry> entries;
  for (const ui::SampleResult& result : comparison->samples)
    if (!result.image.isNull()) entries.push_back(entryOf(result));
  return entries;
}

int referenceTile(const std::vector<ResultEntry>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i].figures.precision == QLatin1String(study::kReference)) return static_cast<int>(i);
  return -1;
}

}  // namespace quantspot::views
