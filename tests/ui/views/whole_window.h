// The whole window beside a fake engine, its history on disk.
#pragma once

#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/decide_page.h"
#include "ui/views/evaluate_page.h"
#include "ui/views/main_window.h"
#include "ui/views/precision_panel.h"
#include "ui/views/question_panel.h"
#include "ui/views/study_page.h"

#include <QPushButton>
#include <QTest>

namespace quantspot::views {

struct Whole {
  explicit Whole(const QString& folder, QSize size = {1200, 760}, ui::EngineCommand command = ui::fakeEngine())
      : engine(std::move(command)), opened(store.open(folder + QStringLiteral("/study.sqlite"))), session(&engine, &store), window(&session) {
    window.evaluatePage()->setSettings(folder + QStringLiteral("/settings.ini"));
    window.decidePage()->setSettings(folder + QStringLiteral("/settings.ini"));
    window.resize(size), window.show();
    session.connectEngine();
  }
  ComparePage& compare() { return *window.comparePage(); }
  QPushButton& generate() { return *compare().precisionPanel()->generateButton(); }
  ui::TrialController& trial() { return *session.trial(); }
  bool ready() { return opened && QTest::qWaitFor([&] { return generate().isEnabled(); }, 20000); }
  bool draws(study::Task task) {
    compare().questionPanel()->setTask(task);
    generate().click();
    return QTest::qWaitFor([&] { return trial().state() == ui::TrialController::State::Open; }, 20000);
  }
  // Any answer.
  bool reveals() {
    for (int tile = 0; tile < trial().slotCount(); ++tile) trial().choose(tile, trial().options().value(tile));
    trial().pick(0);
    compare().answer();
    return QTest::qWaitFor([&] { return session.comparison() != nullptr; }, 20000);
  }

  study::StudyStore store;
  ui::EngineClient engine;
  bool opened;
  ui::CompareSession session;
  MainWindow window;
};

}  // namespace quantspot::views
