// The whole screen for one participant: nothing but the task. Everything on it comes from a ParticipantSession.
#pragma once

#include <QWidget>

class QScrollArea;
class QStackedLayout;

namespace quantspot::ui {
class ParticipantSession;
}

namespace quantspot::views {

class MessageCard;
class PlatePage;
class QuestionForm;
class TrialPage;

class ParticipantWindow : public QWidget {
  Q_OBJECT
 public:
  explicit ParticipantWindow(ui::ParticipantSession* session, QWidget* parent = nullptr);   // session is not owned

  MessageCard* card() { return card_; }
  QuestionForm* questions() { return questions_; }
  TrialPage* trial() { return trial_; }
  PlatePage* plates() { return plates_; }
  // What the experimenter is told of a screen of so many points (pixels over scaling): that participants will have to scroll. Empty where all fits.
  static QString roomNotice(const QSize& screen);
  void takeScreen();                       // full screen, also where no window manager makes it so
  void unlock();                           // with what the experimenter typed

 Q_SIGNALS:
  void closing();                          // while the window still stands: whoever waits behind it may come forward

 protected:
  void changeEvent(QEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  void showStage();
  void showBusy();
  void showLocked();
  void showWelcome();
  void showConsent();
  void showResume();
  QString breakTitle() const;
  void showBreak();
  void showPaused();
  void showThanks();

  ui::ParticipantSession* session_;
  QStackedLayout* pages_;
  MessageCard* card_;
  QuestionForm* questions_;
  PlatePage* plates_;
  TrialPage* trial_;
  QScrollArea *plate_room_, *room_;        // around plates and trials: scroll on a screen that is too small for them
};

}  // namespace quantspot::views
