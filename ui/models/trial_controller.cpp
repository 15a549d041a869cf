#include "ui/models/trial_controller.h"

#include "study/study_store.h"

#include <QLocale>
#include <QRandomGenerator>

#include <algorithm>

namespace quantspot::ui {
namespace {

bool isReference(const SampleResult& one) { return one.sample.precision == QLatin1String(study::kReference); }

}  // namespace

TrialController::TrialController(study::StudyStore* store, QObject* parent) : QObject(parent), store_(store) {}

// What the question is about, in no particular order; empty when it cannot be asked.
std::vector<SampleResult> TrialController::selectSamples(const ComparisonResult& comparison) const {
  std::vector<SampleResult> chosen, quantized;
  for (const SampleResult& one : comparison.samples) {
    if (one.image.isNull()) continue;
    const auto same = [&](const SampleResult& other) { return other.sample.precision == one.sample.precision; };
    if (task_ != study::Task::SpotOne) {
      if (std::none_of(chosen.begin(), chosen.end(), same)) chosen.push_back(one);
    } else {
      (isReference(one) ? chosen : quantized).push_back(one);
    }
  }
  if (task_ == study::Task::SpotOne) {
    if (chosen.empty() || quantized.empty()) return {};
    chosen.push_back(quantized[QRandomGenerator::securelySeeded().bounded(static_cast<quint32>(quantized.size()))]);
  }
  return chosen.size() < 2 ? std::vector<SampleResult>() : chosen;
}

bool TrialController::start(study::Task task, const ComparisonResult& comparison, const QString& uncounted) {
  abandon();
  task_ = task;
  samples_ = selectSamples(comparison);
  if (samples_.empty()) {
    Q_EMIT failed(task == study::Task::SpotOne ? tr("There is nothing to spot: it takes a bf16 picture and a quantized one.")
                  : task == study::Task::Rate  ? tr("There is nothing to rate side by side: fewer than two precisions gave a picture.")
                                               : tr("There is nothing to tell apart: fewer than two precisions gave a picture."));
    return false;
  }
  for (const SampleResult& one : samples_)
    if (task == study::Task::NameEach) options_ << one.sample.precision;
  auto random = QRandomGenerator::securelySeeded();
  std::shuffle(samples_.begin(), samples_.end(), random);
  comparison_ = comparison.id;
  const int reference = comparison.reference();
  reference_ = reference < 0 ? QImage() : comparison.samples[reference].image;
  choices_.fill(QString(), static_cast<qsizetype>(samples_.size()));
  uncounted_ = uncounted;
  clock_.start();
  slots_.setSlots(samples_);
  state_ = State::Open;
  publishChoices();
  Q_EMIT stateChanged();
  return true;
}

void TrialController::abandon() {
  const bool was_idle = state_ == State::Idle;
  state_ = State::Idle;
  samples_.clear();
  options_.clear();
  choices_.clear();
  history_.clear();
  picked_ = -1;
  confidence_ = 0;
  shown_ = false;
  reference_ = {};
  answered_ = {};
  if (was_idle) return;
  slots_.setSlots({});
  Q_EMIT stateChanged();
}

void TrialController::imagesShown() {
  if (shown_ || state_ != State::Open) return;
  shown_ = true;
  clock_.restart();
}

void TrialController::remember() { history_.emplace_back(choices_, picked_); }

void TrialController::choose(int slot, const QString& precision) {
  const bool known = precision.isEmpty() || options_.contains(precision);
  if (state_ != State::Open || task_ != study::Task::NameEach || slot < 0 || slot >= slotCount() || !known) return;
  if (choices_[slot] == precision) return;
  remember();
  if (!precision.isEmpty()) std::replace(choices_.begin(), choices_.end(), precision, QString());
  choices_[slot] = precision;
  publishChoices();
}

void TrialController::pick(int slot) {
  if (state_ != State::Open || task_ != study::Task::SpotOne || slot < 0 || slot >= slotCount() || slot == picked_) return;
  remember();
  picked_ = slot;
  publishChoices();
}

void TrialController::rate(int slot, int grade) {
  const QString answer = grade == 0 ? QString() : QString::number(grade);
  if (state_ != State::Open || task_ != study::Task::Rate || slot < 0 || slot >= slotCount() || grade < 0 || grade > 5) return;
  if (choices_[slot] == answer) return;
  remember();
  choices_[slot] = answer;
  publishChoices();
}

int TrialController::grade(int slot) const { return task_ == study::Task::Rate ? choices_.value(slot).toInt() : 0; }

QString TrialController::choice(int slot) const { return task_ == study::Task::NameEach ? choices_.value(slot) : QString(); }

int TrialController::picked() const { return picked_; }

void TrialController::undo() {
  if (!canUndo()) return;
  std::tie(choices_, picked_) = history_.back();
  history_.pop_back();
  publishChoices();
}

void TrialController::setConfidence(int confidence) {
  if (state_ != State::Open) return;
  confidence_ = std::clamp(confidence, 0, 5);
  Q_EMIT choicesChanged();
}

void TrialController::publishChoices() {
  QVariantList shown;
  for (int slot = 0; slot < slotCount(); ++slot)
    shown << (task_ == study::Task::SpotOne ? QVariant(slot == picked_) : QVariant(choices_[slot]));
  slots_.setChoices(shown);
  Q_EMIT choicesChanged();
}

bool TrialController::canAnswer() const {
  if (state_ != State::Open) return false;
  return task_ == study::Task::SpotOne ? picked_ >= 0 : !choices_.contains(QString());
}

bool TrialController::isCorrect(int slot) const {
  if (task_ == study::Task::Rate) return false;   // nothing is right or wrong
  return task_ == study::Task::NameEach ? choices_[slot] == samples_[slot].sample.precision : !isReference(samples_[slot]);
}

study::AnsweredTrial TrialController::grade() const {
  study::AnsweredTrial graded{.comparison = comparison_, .task = task_, .slot_samples = {}, .choices = {}, .confidence = confidence_,
                              .response_ms = clock_.elapsed(), .chance = task_ == study::Task::Rate ? 0 : 1.0 / slotCount(), .uncounted = uncounted_,
                              .answered = QDateTime::currentDateTimeUtc()};
  for (int slot = 0; slot < slotCount(); ++slot) {
    graded.slot_samples.push_back(samples_[slot].sample.id);
    graded.choices << (task_ != study::Task::SpotOne ? choices_[slot] : slot == picked_ ? QString::fromLatin1(study::kPicked) : QString());
    if (task_ == study::Task::NameEach) graded.hits += isCorrect(slot), ++graded.tiles;
  }
  if (task_ == study::Task::SpotOne) {
    graded.hits = isCorrect(picked_);
    graded.tiles = 1;
  }
  return graded;
}

bool TrialController::answer() {
  if (!canAnswer()) return false;
  study::AnsweredTrial graded = grade();
  const auto id = store_->addTrial(graded);
  if (!id) {
    Q_EMIT failed(store_->lastError());
    return false;
  }
  graded.id = *id;
  answered_ = graded;
  state_ = State::Revealed;
  std::vector<bool> correct;
  for (int slot = 0; slot < slotCount(); ++slot) correct.push_back(isCorrect(slot));
  slots_.reveal(std::move(correct));
  Q_EMIT stateChanged();
  Q_EMIT revealed();
  return true;
}

std::vector<SampleResult> TrialController::samples() const { return state_ == State::Revealed ? samples_ : std::vector<SampleResult>(); }

QImage TrialController::referenceImage() const { return state_ == State::Revealed ? reference_ : QImage(); }

study::AnsweredTrial TrialController::answered() const { return answered_; }

QString TrialController::verdict() const {
  if (state_ != State::Revealed) return {};
  const QString seconds = QLocale().toString(static_cast<double>(answered_.response_ms) / 1000, 'f', 1);
  if (task_ == study::Task::NameEach) return tr("%1 of %2 right, in %3\u2009s").arg(answered_.hits).arg(answered_.tiles).arg(seconds);
  if (task_ == study::Task::Rate) return tr("%1 pictures rated, in %2\u2009s").arg(slotCount()).arg(seconds);
  int quantized = 0;
  while (!isCorrect(quantized)) ++quantized;
  const QString letter = SlotListModel::letter(quantized);
  return answered_.hits ? tr("right: it was %1, in %2\u2009s").arg(letter, seconds) : tr("wrong: it was %1, in %2\u2009s").arg(letter, seconds);
}

QString TrialController::whyUncounted() const {
  if (state_ != State::Revealed || answered_.uncounted.isEmpty()) return {};
  return answered_.uncounted == QLatin1String(study::kSeenBefore)
      ? tr("Seen before, so not counted: a picture of it lies in the history with its name.")
      : tr("Asked again, so not counted: its names had been shown.");
}

void TrialController::setScores(qint64 sample, const study::Scores& scores) {
  for (SampleResult& one : samples_)
    if (one.sample.id == sample) one.sample.scores = scores;
  slots_.setScores(sample, scores);
}

}  // namespace quantspot::ui
