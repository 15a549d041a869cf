// A participant's window over a study on disk, driven by keys.
#pragma once

#include "tests/ui/study_fixture.h"
#include "ui/models/trial_choices.h"
#include "ui/views/message_card.h"
#include "ui/views/participant_window.h"
#include "ui/views/trial_page.h"

#include <QAbstractButton>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>

namespace sample {

using namespace quantspot;
using quantspot::views::ParticipantWindow;

struct Bench {
  explicit Bench(const Protocol& p = everyKind(), int patience_ms = 20000, int blank_ms = 5)
      : disk(p), session(place(disk, patience_ms, blank_ms)), window(&session) {
    window.resize(1280, 800);
    window.show();
    window.activateWindow();
    if (!QTest::qWaitForWindowActive(&window)) qFatal("no active window");
  }
  static ParticipantSession::Place place(const StudyOnDisk& disk, int patience_ms, int blank_ms) {
    ParticipantSession::Place place = disk.place();
    place.patience_ms = patience_ms, place.blank_ms = blank_ms;
    return place;
  }
  void key(int key, Qt::KeyboardModifiers modifiers = {}) {
    QWidget* target = QApplication::focusWidget() ? QApplication::focusWidget() : &window;
    QTest::keyClick(target, static_cast<Qt::Key>(key), modifiers);
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCoreApplication::processEvents();
  }
  bool openTrial() {
    return QTest::qWaitFor([this] { return session.stage() == Stage::Trial && session.viewingLeft() <= 0; });
  }
  // From the passphrase to the first trial, by keys.
  bool start() {
    QTest::keyClicks(window.card()->field(), kPassphrase);
    key(Qt::Key_Return);
    if (!QTest::qWaitFor([this] { return session.stage() == Stage::Welcome; }, 30000)) return false;
    QCoreApplication::processEvents();       // its buttons appear
    key(Qt::Key_Return);
    if (session.stage() == Stage::Consent) key(Qt::Key_Return, Qt::ControlModifier);
    if (!QTest::qWaitFor([this] { return !session.isBusy(); })) return false;
    if (session.stage() == Stage::Before) {
      key(Qt::Key_Space);                  // the first question has the focus
      key(Qt::Key_Return, Qt::ControlModifier);
      if (!QTest::qWaitFor([this] { return !session.isBusy(); })) return false;
    }
    key(Qt::Key_Return);
    return openTrial();
  }
  void answerByKeys() {
    const auto choices = ui::choicesOf(session.trial());
    if (choices.empty())
      for (std::size_t i = session.trial().pictures.size(); i > 0; --i) key(Qt::Key_A + static_cast<int>(i) - 1);
    else key(choices.back().key);
    key(Qt::Key_Return);
  }
  QString told() const {                   // all texts of visible labels and buttons
    QStringList texts;
    for (const QLabel* label : window.findChildren<QLabel*>()) if (label->isVisible()) texts << label->text();
    for (const QAbstractButton* button : window.findChildren<QAbstractButton*>()) if (button->isVisible()) texts << button->text();
    return texts.join(u'\n');
  }

  StudyOnDisk disk;
  ParticipantSession session;
  ParticipantWindow window;
};

}  // namespace sample
