#include "ui/views/participant_window.h"

#include "ui/models/trial_choices.h"
#include "ui/views/message_card.h"
#include "ui/views/plate_page.h"
#include "ui/views/question_form.h"
#include "ui/views/trial_page.h"

#include <QCloseEvent>
#include <QGuiApplication>
#include <QLineEdit>
#include <QScreen>
#include <QScrollArea>
#include <QStackedLayout>

namespace quantspot::views {
namespace {

using ui::ParticipantSession;
using Stage = ParticipantSession::Stage;

constexpr QSize kNeeded{800, 520};         // points that a trial takes

QScrollArea* roomAround(QWidget* page) {
  auto* room = new QScrollArea;
  room->setWidget(page), room->setWidgetResizable(true);
  room->setFocusPolicy(Qt::NoFocus), room->setFrameShape(QFrame::NoFrame);
  return room;
}

}  // namespace

ParticipantWindow::ParticipantWindow(ParticipantSession* session, QWidget* parent)
    : QWidget(parent), session_(session), pages_(new QStackedLayout(this)), card_(new MessageCard), questions_(new QuestionForm),
      plates_(new PlatePage(session)), trial_(new TrialPage(session)), plate_room_(roomAround(plates_)), room_(roomAround(trial_)) {
  setWindowTitle(QStringLiteral("QuantSpot"));
  trial_->setMinimumSize(kNeeded);
  pages_->addWidget(card_), pages_->addWidget(questions_), pages_->addWidget(plate_room_), pages_->addWidget(room_);
  connect(session_, &ParticipantSession::stageChanged, this, &ParticipantWindow::showStage);
  connect(session_, &ParticipantSession::failed, this, [this](const QString& message) {
    card_->setProblem(message), questions_->setProblem(message), plates_->setProblem(message);
    if (session_->stage() != Stage::Locked) return;
    if (!session_->isUntried()) card_->field()->setText({});
    card_->field()->setFocus(), card_->field()->selectAll();
  });
  connect(session_, &ParticipantSession::busyChanged, this, &ParticipantWindow::showBusy);
  connect(session_, &ParticipantSession::noticeChanged, this, [this] {
    if (session_->stage() == Stage::Thanks) showThanks();
  });
  connect(questions_, &QuestionForm::submitted, this, [this] { session_->submit(questions_->answers()); });
  showStage();
}

void ParticipantWindow::showStage() {
  const Stage stage = session_->stage();
  switch (stage) {
    case Stage::Locked: showLocked(); break;
    case Stage::Welcome: showWelcome(); break;
    case Stage::Consent: showConsent(); break;
    case Stage::Before:
    case Stage::After: questions_->setQuestions(session_->questions()); break;
    case Stage::Plates: plates_->showPlate(); break;
    case Stage::Break: showBreak(); break;
    case Stage::Blank: trial_->showBlank(); break;
    case Stage::Trial: trial_->showTrial(); break;
    case Stage::Feedback:
      card_->show(session_->message(), tr("Your answer is saved."), {{tr("Continue"), Qt::Key_Return, [this] { session_->go(); }}});
      break;
    case Stage::Paused: showPaused(); break;
    case Stage::Thanks: showThanks(); break;
    case Stage::Halted: card_->show(tr("The study cannot go on"), session_->message(), {{tr("Close"), Qt::Key_Escape, [this] { close(); }}}); break;
  }
  const bool trial = stage == Stage::Blank || stage == Stage::Trial, questions = stage == Stage::Before || stage == Stage::After;
  if (!trial) trial_->showBlank();         // nothing of a trial stays behind another page
  if (stage != Stage::Plates) plates_->showNothing();
  pages_->setCurrentWidget(trial ? static_cast<QWidget*>(room_) : questions ? static_cast<QWidget*>(questions_)
      : stage == Stage::Plates ? static_cast<QWidget*>(plate_room_) : card_);
  if (trial) trial_->setFocus();
  if (stage == Stage::Plates) plates_->setFocus();
  if (questions) questions_->setFocus();
}

// While disk or store are waited for: what is waited for, and nothing to press.
void ParticipantWindow::showBusy() {
  for (QWidget* page : {static_cast<QWidget*>(card_), static_cast<QWidget*>(questions_)}) page->setEnabled(!session_->isBusy());
  if (session_->isBusy()) card_->setProgress(session_->busyText()), questions_->setProblem(session_->busyText());
  if (!session_->isBusy() && pages_->currentWidget() == questions_) questions_->setFocus();
}

void ParticipantWindow::takeScreen() {
  if (const QScreen* screen = this->screen()) setGeometry(screen->geometry());
  showFullScreen();
}

void ParticipantWindow::unlock() {
  card_->setProgress(tr("Opening the study…"));
  session_->unlock(card_->fieldText());    // stays there until it was tried: the store may be held by another program
}

QString ParticipantWindow::roomNotice(const QSize& screen) {
  if (screen.width() >= kNeeded.width() && screen.height() >= kNeeded.height()) return {};
  return tr("This screen has room for %1 × %2 points at its scaling, and the trials take %3 × %4: participants would have to scroll. "
            "Choose a smaller scaling, or a larger screen.").arg(screen.width()).arg(screen.height()).arg(kNeeded.width()).arg(kNeeded.height());
}

void ParticipantWindow::showLocked() {
  QString text = tr("The experimenter types the study's passphrase here. It opens the orders and is not kept.");
  if (const QString notice = screen() ? roomNotice(screen()->size()) : QString(); !notice.isEmpty()) text += QStringLiteral("\n\n") + notice;
  card_->show(tr("Before the participant sits down"), text,
              {{tr("Open the study"), Qt::Key_Return, [this] { unlock(); }}, {tr("Close"), Qt::Key_Escape, [this] { close(); }}},
              {tr("Passphrase"), true});
}

void ParticipantWindow::showWelcome() {
  const QString title = session_->title().isEmpty() ? tr("Welcome") : session_->title();
  card_->show(title, tr("Thank you for taking part. You will see pictures and answer questions about them: %1 in all. You can pause at any time. "
                        "Everything can be done with keys; they are shown at the bottom of each page.").arg(session_->trialCount()),
              {{tr("Begin"), Qt::Key_Return, [this] { session_->begin(); }}, {tr("Go on with a code"), Qt::Key_F2, [this] { showResume(); }},
               {tr("Close"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { close(); }}});
}

void ParticipantWindow::showResume() {
  card_->show(tr("Go on"), tr("Type the code that you were given when you paused."),
              {{tr("Go on"), Qt::Key_Return, [this] { session_->resume(card_->fieldText()); }},
               {tr("Back"), Qt::Key_Escape, [this] { showWelcome(); }}}, {tr("Code")});
}

void ParticipantWindow::showConsent() {
  card_->show(tr("Do you agree?"), session_->consentText(), {{tr("I agree"), QKeySequence(Qt::CTRL | Qt::Key_Return), [this] { session_->agree(); }},
                                                             {tr("I do not"), Qt::Key_Escape, [this] { session_->decline(); }}});
}

QString ParticipantWindow::breakTitle() const {
  if (session_->nextIsPractice()) return tr("Practice");
  if (session_->parts() == 1) return session_->partBegins() ? tr("The trials begin") : tr("The trials go on");
  return (session_->partBegins() ? tr("Part %1 of %2") : tr("Part %1 of %2 goes on")).arg(session_->part()).arg(session_->parts());
}

void ParticipantWindow::showBreak() {
  const QString task = ui::instructionOf(session_->nextKind(), session_->nextPictures(), session_->nextFlickers());
  const QString how = tr("First choose, then save with Return. The keys are shown below the pictures.");
  const QString practice = study::hasTruth(session_->nextKind()) ? tr("First practice: after each answer you are told what was right.")
                                                                  : tr("First practice: these answers do not count.");
  QStringList parts{task, how};
  if (session_->nextIsPractice()) parts << practice;
  else parts << (session_->answers() > 0 ? tr("All your answers so far are saved. Take a break if you like.") : tr("Take a break if you like."));
  if (!session_->notice().isEmpty()) parts << session_->notice();
  std::vector<CardAction> actions{{tr("Continue"), Qt::Key_Return, [this] { session_->go(); }},
                                           {tr("Pause"), Qt::Key_P, [this] { session_->pause(); }}};
  if (session_->canUndo()) actions.push_back({tr("Take back the last answer"), Qt::Key_U, [this] { session_->undo(); }});
  card_->show(breakTitle(), parts.join(QStringLiteral("\n\n")), std::move(actions));
}

void ParticipantWindow::showPaused() {
  card_->show(tr("Paused"), tr("All your answers are saved. To go on later, keep this code:\n\n%1").arg(session_->code()),
              {{tr("Go on"), Qt::Key_Return, [this] { session_->proceed(); }},
               {tr("Stop for now"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { session_->leave(); }}});
}

void ParticipantWindow::showThanks() {
  const bool later = !session_->message().isEmpty();
  QString text = later ? tr("All your answers are saved. Your code to go on: %1").arg(session_->code()) : tr("That was all. Your answers are saved.");
  if (!session_->notice().isEmpty()) text += QStringLiteral("\n\n") + session_->notice();
  card_->show(tr("Thank you"), text, {{tr("Close"), Qt::Key_Return, [this] { close(); }}});
}

void ParticipantWindow::changeEvent(QEvent* event) {
  if (event->type() == QEvent::ActivationChange && !isActiveWindow()) session_->focusLost();
  QWidget::changeEvent(event);
}

void ParticipantWindow::closeEvent(QCloseEvent* event) {
  session_->pause();                       // stops the clocks; every answer is on disk already
  Q_EMIT closing();
  event->accept();
}

}  // namespace quantspot::views
