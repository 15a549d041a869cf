// One person's way through a study at this computer: welcome, consent, questions, practice, trials, thanks. Draws the plan from the
// opened mapping and keeps it to itself: what a screen gets of a trial are slots and pixels.
#pragma once

#include "study/trial_plan.h"
#include "ui/models/colour_plate.h"
#include "ui/models/station_threads.h"

#include <QElapsedTimer>
#include <QImage>
#include <QLockFile>
#include <QObject>
#include <QSet>
#include <QTimer>

#include <atomic>

namespace quantspot::ui {

// A trial as a screen may know it: no variant, comparison, prompt or role.
struct TrialScreen {
  study::TrialKind kind = study::TrialKind::Spot;
  bool practice = false, ties = false;
  double flicker_hz = 0;               // above 0: the pictures take turns in one place
  int number = 0, of = 0;              // counted within practice, or over all other trials
  std::vector<QImage> pictures;        // A first; each decoded by itself, so that equal ones are not the same object
};

class ParticipantSession : public QObject {
  Q_OBJECT
 public:
  // Locked: the experimenter has not given the passphrase. Blank: grey between two trials, always equally long. Break: also before the first
  // trial of every block, with what is asked there. Plates: the colour-vision check. Halted: nothing goes on; message() says why.
  enum class Stage { Locked, Welcome, Consent, Before, Plates, Break, Blank, Trial, Feedback, Paused, After, Thanks, Halted };
  Q_ENUM(Stage)

  // store: as Ledger's. study: the beginning of a hash; empty: the store's only one. folder: for the station's journal. station: a name on this
  // computer; one process per name. blank_ms: grey between two trials; longer than decoding takes, so that its length tells nothing. patience_ms: for
  // how long disk or store are waited for on the spot, before the screen says so. retry_ms: between attempts to bring what the store has not got.
  struct Place {
    QString store, study, folder, station;
    int blank_ms = 600, patience_ms = 100, retry_ms = 10000;
    QString history = {};              // file of the comparisons on this computer: what it holds of the study is sealed before anybody sits down
  };
  explicit ParticipantSession(Place place, QObject* parent = nullptr);
  ~ParticipantSession() override { ending_ = true; }

  Stage stage() const { return stage_; }
  QString message() const { return message_; }          // why not, or feedback; may be empty
  // What the experimenter should know, and changes nothing for the participant: the clock was set back, or answers wait here because
  // the store is out of reach. Empty when all is well.
  QString notice() const;
  bool isOnline() const { return station_ && station_->state().online; }
  // The last step is still being saved, or the store is being asked: until then nothing else is taken, and nothing counts as given.
  bool isBusy() const { return !busy_.isEmpty(); }
  QString busyText() const { return busy_; }            // "Saving…"

  // Opens journal, store and mapping; about a second of work, and more while another program holds the store (it is tried again, and busyText() says
  // so). True when it is done or on its way (isBusy()); false, or failed() later, with message() when it could not be done: it can be tried again.
  bool unlock(const QString& passphrase);
  bool isUntried() const { return !*tried_; }            // unlock() failed before it came to the passphrase

  // Of the study; valid once unlocked.
  QString title() const { return protocol_.title; }
  QString consentText() const { return protocol_.consent_text; }
  const study::Viewer& viewer() const { return protocol_.viewer; }
  const std::vector<study::Question>& questions() const { return stage_ == Stage::After ? protocol_.after : protocol_.before; }
  int trialCount() const;                                // without practice
  double timeLimit() const { return protocol_.time_limit_s; }
  QString code() const { return seat_.participant; }     // by which the participant can go on later

  void begin();                                          // Welcome → Consent, or on without a text
  void agree();                                          // Consent → joins
  void decline();                                        // Consent → Welcome; nothing was kept
  void resume(const QString& code);                      // Welcome → where the protocol's policy lets the participant go on
  void submit(const QJsonObject& answers);               // Before or After
  // Of the colour-vision check: the plate on screen, its number from 1, and how many there are.
  std::vector<PlateDot> plate() const;
  int plateNumber() const { return static_cast<int>(plate_answers_.size()) + 1; }
  int plateCount() const { return static_cast<int>(plates_.size()); }
  void readPlate(const QString& answer);                 // "0" … "9", or "none"; all are kept together after the last one
  void go();                                             // on from Break or Feedback
  void pause();                                          // Trial or Break: the pictures go, the clock stops
  void proceed();                                        // Paused → back
  void leave();                                          // Paused → Thanks, with the code to go on

  const TrialScreen& trial() const { return screen_; }
  study::TrialKind nextKind() const;                     // of the trial that is to come
  bool nextIsPractice() const;
  int nextPictures() const;
  bool nextFlickers() const;
  int answers() const { return static_cast<int>(answered_.size()); }   // given so far, practice included
  int part() const;                                      // of the trial that is to come, from 1; 0 in practice
  int parts() const { return static_cast<int>(protocol_.blocks.size()); }
  bool partBegins() const;                               // nothing of that part was answered yet
  void picturesShown();                                  // starts the clock of the trial, once
  double viewingLeft() const;                            // seconds until answers are taken
  bool timedOut() const { return timed_out_; }           // the pictures must go; the answer is still taken
  void focusLost();
  // Keeps the answer; `screen` is logged with it (zoom, window, resolution …). True when it is on disk (saved() was emitted) or on its way there
  // (isBusy()); false, or failed() later, with message() when it could not be kept: nothing has changed then.
  bool answer(const QString& answer, const QJsonObject& screen = {});
  bool canUndo() const;
  bool undo();                                           // of the last answer only, and not of practice

 Q_SIGNALS:
  void stageChanged();
  void answerable();                                     // the minimum viewing time is over
  void timeUp();
  void saved();                                          // the last answer is on this computer's disk
  void busyChanged();
  void noticeChanged();
  void failed(const QString& message);

 private:
  void enter(Stage stage, const QString& message = {});
  void fail(const std::exception& error);
  void prepare();
  void opened(study::FrozenStudy study, study::Mapping mapping, int refused);
  void sayBusy(const QString& text);
  void join();
  void place(const study::Station::Return& back);
  void check();                                          // the plates, or on to what comes next
  void announce();
  void load();
  void decode();
  void finish();
  bool perform(const QString& text, StationThreads::Where where, std::function<void(study::Station&)> body, std::function<void()> then);
  bool keep(std::function<void(study::Station&)> write, std::function<void()> then);
  void taken(const study::PlannedTrial& trial, const QString& answer);
  void delivered();
  void onward(study::Station::Return back);
  const study::PlannedTrial& next() const { return plan_[static_cast<std::size_t>(position_)]; }
  bool done() const { return position_ >= static_cast<int>(plan_.size()); }
  void skipAnswered();
  qint64 viewed() const { return clock_.isValid() ? viewed_ms_ + clock_.elapsed() : viewed_ms_; }
  QString feedback(const study::PlannedTrial& trial, const QString& answer) const;

  const Place place_;
  Stage stage_ = Stage::Locked, before_pause_ = Stage::Trial;
  QString message_;
  std::unique_ptr<QLockFile> lock_;
  study::FrozenStudy study_;
  study::Protocol protocol_;
  study::Mapping mapping_;
  study::Seat seat_;
  std::vector<study::PlannedTrial> plan_;
  std::vector<study::PlannedPlate> plates_;
  QStringList plate_answers_;
  QSet<int> answered_;
  int position_ = 0, last_ = -1, since_break_ = 0, refused_ = 0;   // last_: what can be undone
  TrialScreen screen_;
  QTimer blank_, minimum_, limit_, retry_;
  QElapsedTimer clock_;
  qint64 viewed_ms_ = 0;
  bool shown_ = false, timed_out_ = false;
  int focus_losses_ = 0, pauses_ = 0;
  QString restarts_, busy_;
  std::shared_ptr<std::atomic<bool>> tried_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<bool> ending_ = false;
  std::unique_ptr<StationThreads> station_;   // last: what it still does reads the members above
};

}  // namespace quantspot::ui
