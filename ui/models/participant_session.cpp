#include "ui/models/participant_session.h"

#include "study/error.h"
#include "ui/models/data_folder.h"

#include <QDate>
#include <QDir>
#include <QRegularExpression>
#include <QThread>

#include <algorithm>

namespace quantspot::ui {
namespace {

using study::TrialKind;
using study::TrialRole;

constexpr int kAttempts = 3;             // to reach the store; each may take five seconds
constexpr unsigned long kBetweenAttempts = 500;   // ms

QString fileSafe(QString name) {
  static const QRegularExpression other(QStringLiteral("[^A-Za-z0-9_-]"));
  return name.replace(other, QStringLiteral("_"));
}

QString onlyStudy(const QString& store) {
  const QStringList all = study::Ledger(store).studies();
  if (all.size() == 1) return all.first();
  throw study::Error(all.isEmpty() ? ParticipantSession::tr("the store holds no study")
      : ParticipantSession::tr("the store holds several studies; name one with --participant"));
}

}  // namespace

ParticipantSession::ParticipantSession(Place place, QObject* parent) : QObject(parent), place_(std::move(place)) {
  for (QTimer* timer : {&blank_, &minimum_, &limit_}) timer->setSingleShot(true), timer->setTimerType(Qt::PreciseTimer);
  connect(&blank_, &QTimer::timeout, this, [this] { enter(Stage::Trial); });
  connect(&minimum_, &QTimer::timeout, this, &ParticipantSession::answerable);
  connect(&limit_, &QTimer::timeout, this, [this] { timed_out_ = true, Q_EMIT timeUp(); });
  retry_.setInterval(place_.retry_ms);
  connect(&retry_, &QTimer::timeout, this, [this] {
    if (station_ && station_->state().waiting > 0) station_->deliver(true);
  });
}

void ParticipantSession::enter(Stage stage, const QString& message) {
  stage_ = stage;
  message_ = message;
  Q_EMIT stageChanged();
}

void ParticipantSession::fail(const std::exception& error) {
  message_ = QString::fromUtf8(error.what());
  Q_EMIT failed(message_);
}

// Runs body off this thread, then `then` on it; in between nothing is taken. False when it failed on the spot.
bool ParticipantSession::perform(const QString& text, StationThreads::Where where, std::function<void(study::Station&)> body,
    std::function<void()> then) {
  busy_ = text;
  auto failed_here = std::make_shared<bool>(false);
  station_->begin(where, std::move(body), [this, failed_here, then = std::move(then)](std::exception_ptr error) {
    busy_.clear();
    Q_EMIT busyChanged();                  // before what comes next: a page that is shown takes the focus
    try {
      if (error) std::rethrow_exception(error);
      then();
    } catch (const std::exception& problem) {
      *failed_here = true;
      fail(problem);
    }
  });
  if (isBusy()) Q_EMIT busyChanged();
  return !*failed_here;
}

// Writes to the journal, and begins to bring it. On from there when it is on this computer's disk.
bool ParticipantSession::keep(std::function<void(study::Station&)> write, std::function<void()> then) {
  return perform(tr("Saving…"), StationThreads::Where::Journal, std::move(write), [this, then = std::move(then)] {
    station_->deliver();
    if (stage_ != Stage::Halted) then();
  });
}

// The store said for good that an answer does not belong there: somebody else answers for the same participant, or the study was closed.
void ParticipantSession::delivered() {
  const StationThreads::State& state = station_->state();
  if (state.refused > refused_ && stage_ != Stage::Locked) {
    refused_ = state.refused;
    blank_.stop(), minimum_.stop(), limit_.stop();
    enter(Stage::Halted, tr("The answer was not taken: %1. Ask the experimenter.").arg(state.problem));
  }
  Q_EMIT noticeChanged();
}

// The station's folder, name and journal, which are this computer's own.
void ParticipantSession::prepare() {
  const QString journal = QDir(place_.folder).filePath(QStringLiteral("station-%1.sqlite").arg(fileSafe(place_.station)));
  if (!QDir().mkpath(place_.folder)) throw study::Error(tr("the folder %1 cannot be made; choose another with --data").arg(place_.folder));
  if (!lock_) lock_ = std::make_unique<QLockFile>(journal + QStringLiteral(".lock"));
  lock_->setStaleLockTime(0);
  if (!lock_->isLocked() && !lock_->tryLock(100))
    throw study::Error(lock_->error() == QLockFile::LockFailedError
        ? tr("another window answers here as station '%1'; close it, or give this one another name with --station").arg(place_.station)
        : tr("the folder %1 cannot be written; choose another with --data").arg(place_.folder));
  station_.reset();                        // of an attempt before: reaches for the store anew
  station_ = std::make_unique<StationThreads>(place_.store, journal, place_.patience_ms);
  connect(station_.get(), &StationThreads::delivered, this, &ParticipantSession::delivered);
}

bool ParticipantSession::unlock(const QString& passphrase) {
  if (stage_ != Stage::Locked || isBusy()) return false;
  tried_ = std::make_shared<std::atomic<bool>>(false);
  try {
    prepare();
  } catch (const std::exception& error) {
    station_.reset();
    fail(error);
    return false;
  }
  struct Opened {
    study::FrozenStudy study;
    study::Mapping mapping;
    int refused = 0;
  };
  auto found = std::make_shared<Opened>();
  return perform(tr("Opening the study…"), StationThreads::Where::Store, [this, found, passphrase, tried = tried_](study::Station& station) {
    for (int attempt = 1; !station.reach(); ++attempt) {
      if (attempt == kAttempts || ending_) throw study::Error(tr("The study cannot be opened now: %1").arg(station.lastProblem()));
      QMetaObject::invokeMethod(this, [this, attempt] {
        sayBusy(tr("The store cannot be used now. Trying again (%1 of %2)…").arg(attempt + 1).arg(kAttempts));
      }, Qt::QueuedConnection);
      QThread::msleep(kBetweenAttempts);
    }
    found->study = station.study(place_.study.isEmpty() ? onlyStudy(place_.store) : place_.study);
    *tried = true;
    found->mapping = found->study.open(passphrase);
    closeHistory(place_.history, found->study, found->mapping);
    refuseOpenPictures(place_.history, found->study, found->mapping);
    station.reconcile();                   // what an earlier sitting could not bring
    found->refused = station.refused();
  }, [this, found] { opened(std::move(found->study), std::move(found->mapping), found->refused); });
}

void ParticipantSession::opened(study::FrozenStudy study, study::Mapping mapping, int refused) {
  study_ = std::move(study), mapping_ = std::move(mapping);
  protocol_ = study_.protocol();
  refused_ = refused;
  station_->deliver();
  retry_.start();
  enter(Stage::Welcome);
}

void ParticipantSession::sayBusy(const QString& text) {
  if (!isBusy() || stage_ != Stage::Locked) return;      // it was done meanwhile
  busy_ = text;
  Q_EMIT busyChanged();
}

QString ParticipantSession::notice() const {
  if (!station_ || stage_ == Stage::Locked) return {};
  if (!isOnline()) return tr("Answers are saved on this computer; the store is out of reach.");
  return station_->state().warning;
}

int ParticipantSession::trialCount() const {
  int trials = 0;
  for (const study::Block& block : protocol_.blocks) trials += block.trials + block.gold + block.null + block.repeats;
  return trials;
}

void ParticipantSession::begin() {
  if (stage_ != Stage::Welcome || isBusy()) return;
  if (protocol_.consent_text.isEmpty()) join();
  else enter(Stage::Consent);
}

void ParticipantSession::decline() {
  if (stage_ == Stage::Consent && !isBusy()) enter(Stage::Welcome);
}

void ParticipantSession::agree() {
  if (stage_ == Stage::Consent && !isBusy()) join();
}

void ParticipantSession::join() {
  QJsonObject about{{"consent", protocol_.consent_version}, {"station", place_.station}};
  if (!restarts_.isEmpty()) about[QStringLiteral("restarts")] = restarts_;
  auto seat = std::make_shared<study::Seat>();
  perform(tr("Asking the store for a place…"), StationThreads::Where::Store,
      [this, about, seat](study::Station& station) { *seat = station.join(study_, about); }, [this, seat] {
        restarts_.clear();
        place({*seat, {}, {}});
      });
}

// Draws the plan; `back` holds what was answered in earlier sittings.
void ParticipantSession::place(const study::Station::Return& back) {
  seat_ = back.seat;
  plan_ = study::planTrials(protocol_, study_.hash(), mapping_, seat_.participant, seat_.cell);
  answered_ = QSet<int>(back.answered.begin(), back.answered.end());
  position_ = 0, last_ = -1, since_break_ = 0;
  skipAnswered();
  message_.clear();
  plates_ = answered_.isEmpty() ? study::planPlates(protocol_, study_.hash(), mapping_, seat_.participant) : std::vector<study::PlannedPlate>();
  if (answered_.isEmpty() && !protocol_.before.empty()) enter(Stage::Before);
  else check();
}

void ParticipantSession::check() {
  plate_answers_.clear();
  if (plates_.empty()) announce();
  else enter(Stage::Plates);
}

std::vector<PlateDot> ParticipantSession::plate() const {
  return stage_ == Stage::Plates && plateNumber() <= plateCount() ? plateDots(plates_[static_cast<std::size_t>(plate_answers_.size())])
                                                                  : std::vector<PlateDot>();
}

void ParticipantSession::readPlate(const QString& answer) {
  if (stage_ != Stage::Plates || isBusy() || plateNumber() > plateCount() || !study::isPlateAnswer(answer)) return;
  QStringList answers = plate_answers_;
  answers << answer;
  if (answers.size() < static_cast<qsizetype>(plates_.size())) {
    plate_answers_ = answers;
    return enter(Stage::Plates);
  }
  const QJsonObject record = study::plateRecord(mapping_, seat_.participant, plates_, answers);
  keep([this, record](study::Station& station) { station.note(study_, seat_, QStringLiteral("colour-vision"), record); }, [this] { announce(); });
}

void ParticipantSession::resume(const QString& code) {
  if (stage_ != Stage::Welcome || isBusy()) return;
  auto back = std::make_shared<study::Station::Return>();
  perform(tr("Asking the store for your answers…"), StationThreads::Where::Store,
      [this, back, known = code.trimmed().toLower()](study::Station& station) { *back = station.find(study_, known); },
      [this, back] { onward(*back); });
}

// Where the protocol's policy lets somebody go on who comes back.
void ParticipantSession::onward(study::Station::Return back) {
  if (protocol_.resume == study::ResumePolicy::Restart) {
    restarts_ = back.seat.participant;
    return begin();
  }
  // A last record that lies ahead means that a clock was set back: which day it is cannot be told, and the notice says so.
  const QDateTime now = QDateTime::currentDateTime(), seen = back.last_seen.toLocalTime();
  if (protocol_.resume == study::ResumePolicy::ContinueSameDay && seen < now && seen.date() != now.date())
    throw study::Error(tr("this study must be finished on the day it was begun (%1); ask the experimenter").arg(seen.date().toString(Qt::ISODate)));
  place(back);
  if (protocol_.resume == study::ResumePolicy::NextBlock && !done() && next().block >= 0) {
    const int block = next().block;
    const bool begun = std::any_of(answered_.begin(), answered_.end(), [&](int i) { return plan_[static_cast<std::size_t>(i)].block == block; });
    while (begun && !done() && next().block == block) ++position_;   // what is left of an interrupted block stays unanswered
    announce();
  }
  const QJsonObject record{{"at_trial", position_}, {"station", place_.station}};
  keep([this, record](study::Station& station) { station.note(study_, seat_, QStringLiteral("return"), record); }, [] {});
}

void ParticipantSession::submit(const QJsonObject& answers) {
  if ((stage_ != Stage::Before && stage_ != Stage::After) || isBusy()) return;
  const bool before = stage_ == Stage::Before;
  const QJsonObject record{{"when", before ? "before" : "after"}, {"answers", answers}};
  keep([this, record](study::Station& station) { station.note(study_, seat_, QStringLiteral("questionnaire"), record); }, [this, before] {
    if (before) check();
    else enter(Stage::Thanks);
  });
}

void ParticipantSession::skipAnswered() {
  while (!done() && answered_.contains(position_)) ++position_;
}

// What comes next, before it comes.
void ParticipantSession::announce() {
  since_break_ = 0;
  if (done()) finish();
  else enter(Stage::Break);
}

void ParticipantSession::finish() {
  station_->deliver(true);                 // what does not arrive stays here: the next start of this station brings it
  if (stage_ != Stage::Halted) enter(protocol_.after.empty() ? Stage::Thanks : Stage::After);
}

study::TrialKind ParticipantSession::nextKind() const { return done() ? TrialKind::Spot : next().kind; }
bool ParticipantSession::nextIsPractice() const { return !done() && next().role == TrialRole::Practice; }
int ParticipantSession::nextPictures() const { return done() ? 0 : static_cast<int>(next().shown.size()); }
bool ParticipantSession::nextFlickers() const { return !done() && next().flicker_hz > 0; }
int ParticipantSession::part() const { return done() ? parts() : next().block + 1; }

bool ParticipantSession::partBegins() const {
  return !done() && std::none_of(answered_.begin(), answered_.end(), [&](int i) { return plan_[static_cast<std::size_t>(i)].block == next().block; });
}

void ParticipantSession::go() {
  if ((stage_ != Stage::Break && stage_ != Stage::Feedback) || isBusy()) return;
  const bool practised = stage_ == Stage::Feedback;
  if (practised && (done() || next().role != TrialRole::Practice)) return announce();
  load();
}

// The pictures are decoded within a pause of fixed length, whatever they are.
void ParticipantSession::load() {
  screen_ = {};
  viewed_ms_ = 0, clock_.invalidate();
  shown_ = timed_out_ = false;
  focus_losses_ = pauses_ = 0;
  enter(Stage::Blank);
  QElapsedTimer spent;
  spent.start();
  try {
    decode();
  } catch (const std::exception& error) {
    return enter(Stage::Halted, QString::fromUtf8(error.what()));
  }
  blank_.start(std::max(0, place_.blank_ms - static_cast<int>(spent.elapsed())));
}

void ParticipantSession::decode() {
  const study::PlannedTrial& trial = next();
  screen_.kind = trial.kind;
  screen_.practice = trial.role == TrialRole::Practice;
  screen_.ties = trial.kind == TrialKind::Preference && protocol_.blocks[static_cast<std::size_t>(std::max(0, trial.block))].ties;
  screen_.flicker_hz = trial.flicker_hz;
  const int practice = protocol_.practice;
  screen_.number = screen_.practice ? position_ + 1 : position_ - practice + 1;
  screen_.of = screen_.practice ? practice : static_cast<int>(plan_.size()) - practice;
  // All pictures of the comparison are read, each once and in an order that hangs on no trial, and then copied: the work and the memory it takes are
  // the same whichever lies where, also to somebody who counts them from outside.
  QMap<QString, QImage> all;             // by hash
  const QMap<QString, QString>& hashes = mapping_.images[trial.comparison];
  for (const QString& hash : hashes) all[hash] = {};
  for (auto picture = all.begin(); picture != all.end(); ++picture) {
    *picture = QImage::fromData(study_.pictures.value(picture.key()), "PNG").convertToFormat(QImage::Format_RGB32);
    if (picture->isNull()) throw study::Error(tr("A picture of this study cannot be read. Ask the experimenter."));
  }
  for (const QString& variant : trial.shown) screen_.pictures.push_back(all[hashes[variant]].copy());
}

void ParticipantSession::picturesShown() {
  if (stage_ != Stage::Trial || clock_.isValid()) return;
  clock_.start();
  const qint64 minimum = static_cast<qint64>(protocol_.min_viewing_s * 1000), limit = static_cast<qint64>(protocol_.time_limit_s * 1000);
  if (minimum > viewed_ms_) minimum_.start(static_cast<int>(minimum - viewed_ms_));
  if (limit > 0 && !timed_out_) limit_.start(static_cast<int>(std::max<qint64>(1, limit - viewed_ms_)));
  if (!shown_ && minimum <= 0) Q_EMIT answerable();
  shown_ = true;
}

double ParticipantSession::viewingLeft() const {
  return shown_ ? std::max(0.0, protocol_.min_viewing_s - static_cast<double>(viewed()) / 1000) : std::max(protocol_.min_viewing_s, 1e-3);
}

void ParticipantSession::focusLost() {
  if (stage_ == Stage::Trial) ++focus_losses_;
}

void ParticipantSession::pause() {
  if ((stage_ != Stage::Trial && stage_ != Stage::Break) || isBusy()) return;
  viewed_ms_ = viewed();
  clock_.invalidate();
  minimum_.stop(), limit_.stop();
  ++pauses_;
  before_pause_ = stage_;
  enter(Stage::Paused);
}

void ParticipantSession::proceed() {
  if (stage_ == Stage::Paused) enter(before_pause_);
}

void ParticipantSession::leave() {
  if (stage_ == Stage::Paused) enter(Stage::Thanks, tr("You can go on later."));
}

QString ParticipantSession::feedback(const study::PlannedTrial& trial, const QString& answer) const {
  if (trial.truth.isEmpty()) return tr("There is no right or wrong here: your own judgement counts.");
  if (answer == trial.truth) return tr("That is right.");
  return tr("Not this time: the right answer was %1.").arg(trial.truth == QLatin1String("same") ? tr("same")
      : trial.truth == QLatin1String("different") ? tr("different") : trial.truth);
}

bool ParticipantSession::answer(const QString& answer, const QJsonObject& screen) {
  if (stage_ != Stage::Trial || viewingLeft() > 0 || isBusy()) return false;
  const study::PlannedTrial trial = next();
  const QJsonObject details{{"response_ms", viewed()}, {"focus_losses", focus_losses_}, {"pauses", pauses_}, {"timed_out", timed_out_},
                            {"station", place_.station}, {"screen", screen}};
  const bool kept = keep([this, trial, answer, details](study::Station& station) {
    station.answer(study_, mapping_, seat_, trial.index, answer, details);
  }, [this, trial, answer] { taken(trial, answer); });
  return kept && stage_ != Stage::Halted;
}

// The answer is on disk: on to what comes next.
void ParticipantSession::taken(const study::PlannedTrial& trial, const QString& answer) {
  minimum_.stop(), limit_.stop();
  answered_ << trial.index;
  Q_EMIT saved();
  last_ = screen_.practice ? -1 : trial.index;
  ++since_break_;
  skipAnswered();
  if (screen_.practice) enter(Stage::Feedback, feedback(trial, answer));
  else if (done()) finish();
  else if (next().block != trial.block || (protocol_.break_every > 0 && since_break_ >= protocol_.break_every)) announce();
  else load();
}

bool ParticipantSession::canUndo() const { return last_ >= 0 && !isBusy() && (stage_ == Stage::Trial || stage_ == Stage::Break); }

bool ParticipantSession::undo() {
  if (!canUndo()) return false;
  const int trial = last_;
  const bool kept = keep([this, trial](study::Station& station) { station.undo(study_, seat_, trial); }, [this, trial] {
    minimum_.stop(), limit_.stop();
    answered_.remove(trial);
    position_ = trial;
    last_ = -1;
    load();
  });
  return kept && stage_ != Stage::Halted;
}

}  // namespace quantspot::ui
