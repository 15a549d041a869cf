// What cannot be done says why, and what failed leaves a way on.
#include "tests/ui/views/whole_window.h"
#include "ui/views/history_actions.h"
#include "ui/views/history_page.h"
#include "ui/views/program_menu.h"
#include "ui/views/study_designer.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QFile>
#include <QLabel>
#include <QListView>
#include <QSignalSpy>
#include <QTemporaryDir>

using namespace quantspot;
using namespace quantspot::views;

namespace {

bool says(const QWidget& widget, const QString& text) {
  for (const QLabel* label : widget.findChildren<QLabel*>())
    if (label->isVisible() && label->text().contains(text)) return true;
  return false;
}

QPushButton* buttonOf(const QWidget& widget, const QString& text) {
  for (QPushButton* button : widget.findChildren<QPushButton*>())
    if (button->text() == text) return button;
  return nullptr;
}

// An engine whose estimates cannot be read until this file is there.
ui::EngineCommand wrongUntil(const QString& file) {
  return {QStringLiteral("/bin/sh"), {QStringLiteral("-c"),
      QStringLiteral("if [ -e \"$1\" ]; then exec \"$0\"; else exec \"$0\" \"--result=memory/estimate {}\"; fi"), QStringLiteral(FAKE_ENGINE), file}};
}

}  // namespace

class ReasonsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void theButtonSaysThatTheEngineStarts() {
    QTemporaryDir folder;
    Whole whole(folder.path());
    QCOMPARE(whole.generate().text(), QStringLiteral("Starting…"));
    QVERIFY(whole.ready());
    QCOMPARE(whole.generate().text(), QStringLiteral("Generate"));
    QCOMPARE(whole.generate().toolTip(), QStringLiteral("Enter"));
    for (const QString& id : whole.session.precisions()->checkedIds()) whole.session.precisions()->setChecked(id, false);
    QVERIFY(!whole.generate().isEnabled());
    QCOMPARE(whole.generate().toolTip(), QStringLiteral("Tick two precisions or more"));
  }

  void whatTheAnswerStillNeedsIsSaid() {
    QTemporaryDir folder;
    Whole whole(folder.path());
    QVERIFY(whole.ready() && whole.draws(study::Task::NameEach));
    QuestionPanel& panel = *whole.compare().questionPanel();
    const QString all = QStringLiteral("Still without a name: A, B, C, D");
    QVERIFY(says(panel, all) && !panel.answerButton()->isEnabled());
    QCOMPARE(panel.answerButton()->toolTip(), all);
    whole.trial().choose(1, whole.trial().options().value(0));
    QVERIFY(says(panel, QStringLiteral("Still without a name: A, C, D")));
    for (int tile = 0; tile < 4; ++tile) whole.trial().choose(tile, whole.trial().options().value(tile));   // each name once
    QVERIFY(panel.lacking().isEmpty() && panel.answerButton()->isEnabled() && !says(panel, QStringLiteral("Still without")));
    QCOMPARE(panel.answerButton()->toolTip(), QStringLiteral("Enter"));
    QVERIFY(whole.draws(study::Task::SpotOne));
    QVERIFY(says(panel, QStringLiteral("Pick a tile first")));
  }

  void aFolderThatCannotBeWrittenStopsBeforeAnythingIsDrawn() {
    QTemporaryDir folder;
    Whole whole(folder.path());
    QVERIFY(whole.ready());
    const QString why = QStringLiteral("/data can only be read");
    whole.compare().setBlocked(why);
    QVERIFY(!whole.generate().isEnabled() && says(*whole.compare().precisionPanel(), why));
    whole.compare().setBlocked({});
    QVERIFY(whole.generate().isEnabled());
  }

  void anEstimateThatFailedIsAskedForAgain() {
    QTemporaryDir folder;
    const QString healed = folder.filePath(QStringLiteral("healed"));
    Whole whole(folder.path(), {1200, 760}, wrongUntil(healed));
    QVERIFY(whole.ready());
    whole.window.showPage(MainWindow::Decide);
    DecidePage& page = *whole.window.decidePage();
    QPushButton* again = buttonOf(page, QStringLiteral("Try again"));
    QVERIFY(again);
    QVERIFY(QTest::qWaitFor([&] { return again->isVisible(); }));
    QVERIFY(page.sentence().at(0).isUpper());
    QPushButton* out = buttonOf(page, QStringLiteral("Export…"));
    QVERIFY(out && !out->isEnabled() && !out->toolTip().isEmpty());
    QFile file(healed);
    QVERIFY(file.open(QIODevice::WriteOnly));
    whole.engine.stop();                                   // the next one is another process
    again->click();
    QVERIFY(QTest::qWaitFor([&] { return whole.session.decision()->decision().has_value(); }, 20000));
    QVERIFY(!again->isVisible() && page.sentence().startsWith(QStringLiteral("Use ")));
    QVERIFY(out->isEnabled());
  }

  void whatASecondWindowDrewIsInTheHistory() {
    QTemporaryDir folder;
    Whole first(folder.path()), second(folder.path());
    QVERIFY(first.ready() && second.ready());
    first.window.showPage(MainWindow::History);
    QCOMPARE(first.session.history()->rowCount(), 0);
    QVERIFY(second.draws(study::Task::NameEach) && second.reveals());
    QSignalSpy reset(first.session.history(), &QAbstractItemModel::modelReset);
    first.window.showPage(MainWindow::History);
    QCOMPARE(first.session.history()->rowCount(), 1);
    const auto resets = reset.count();
    first.window.showPage(MainWindow::Study), first.window.showPage(MainWindow::History);
    QCOMPARE(reset.count(), resets);                       // nothing new: what was chosen stays
  }

  void aDraftThatCannotBeKeptIsNotBegun() {
    QTemporaryDir folder;
    QFile inTheWay(folder.filePath(QStringLiteral("drafts")));
    QVERIFY(inTheWay.open(QIODevice::WriteOnly));
    Whole whole(folder.path());
    QVERIFY(whole.opened && QTest::qWaitForWindowActive(&whole.window));
    whole.window.showPage(MainWindow::Study);
    StudyPage& page = *whole.window.studyPage();
    QTest::keyClick(&whole.window, Qt::Key_N, Qt::ControlModifier);
    QVERIFY(!page.designer());
    QVERIFY(QTest::qWaitFor([&] { return says(page, QStringLiteral("No study can be begun, for its draft cannot be saved: ")); }));
    QVERIFY(says(page, QStringLiteral("choose another with --data")) && !says(page, QStringLiteral("What you see is kept")));
    QVERIFY(inTheWay.remove());
    QTest::keyClick(&whole.window, Qt::Key_N, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return page.designer() && !says(page, QStringLiteral("cannot be saved")); }));
    const int drafts = page.list()->model()->rowCount();
    whole.window.showPage(MainWindow::Compare);
    QTest::keyClick(&whole.window, Qt::Key_N, Qt::ControlModifier);   // of the Study page alone
    QCOMPARE(page.list()->model()->rowCount(), drafts);
  }

  void keysComeAndGoWithF1() {
    QTemporaryDir folder;
    Whole whole(folder.path());
    ProgramMenu& menu = *whole.window.programMenu();
    menu.showKeys();
    QVERIFY(menu.keys()->isVisible());
    menu.showKeys();
    QVERIFY(!menu.keys()->isVisible());
  }

  void whatAnOldComparisonCannotDoIsSaid() {
    QTemporaryDir folder;
    Whole whole(folder.path());
    QVERIFY(whole.ready() && whole.draws(study::Task::NameEach) && whole.reveals());
    whole.window.showPage(MainWindow::History);
    HistoryActions& actions = *whole.window.historyPage()->actions();
    QVERIFY(actions.nextSeedButton()->isEnabled() && actions.nextSeedButton()->toolTip().contains(QStringLiteral("next seed")));
    QVERIFY(actions.compareButton()->isEnabled() && actions.compareButton()->toolTip().contains(QStringLiteral("slider")));
  }
};

QTEST_MAIN(ReasonsTest)
#include "reasons_test.moc"
