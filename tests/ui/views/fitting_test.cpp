// Every page of the window as small as a screen may be, light and dark: nothing is cut off, everything has a name and can be read.
#include "tests/ui/views/fitting.h"
#include "tests/ui/views/whole_window.h"
#include "ui/views/blocks_section.h"
#include "ui/views/charts_panel.h"
#include "ui/views/comparisons_section.h"
#include "ui/views/confusion_colours.h"
#include "ui/views/download_dialog.h"
#include "ui/views/evaluate_setup.h"
#include "ui/views/export_dialog.h"
#include "ui/views/history_page.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/pair_window.h"
#include "ui/views/policy_editor.h"
#include "ui/views/program_menu.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/result_panel.h"
#include "ui/views/study_designer.h"
#include "ui/views/study_preview.h"
#include "ui/views/theme.h"
#include "ui/views/weights_dialog.h"

#include <QApplication>
#include <QStackedWidget>
#include <QTemporaryDir>
#include <QToolButton>

using namespace quantspot;
using namespace quantspot::views;

namespace {

// What stands under the tabs, inside the viewport that scrolls it.
const QWidget* shownPage(const MainWindow& window) {
  return qobject_cast<const QScrollArea*>(window.findChild<QStackedWidget*>()->currentWidget())->widget();
}

}  // namespace

class FittingTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // 1024 × 700 less frame and bar; 200 % of 1920 × 1080.
  void pagesFit_data() {
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("dark");
    for (const QSize size : {QSize(1008, 640), QSize(944, 480)})
      for (const bool dark : {false, true}) QTest::addRow("%d × %d, %s", size.width(), size.height(), dark ? "dark" : "light") << size << dark;
  }
  void pagesFit() {
    QFETCH(QSize, size);
    QFETCH(bool, dark);
    applyTheme(*qApp, dark);
    QTemporaryDir folder;
    Whole whole(folder.path(), size);
    QVERIFY(whole.ready());
    const auto look = [&](const QString& where) {
      QCOMPARE(whole.window.size(), size);
      const QString found = faults(whole.window);
      QVERIFY2(found.isEmpty(), qPrintable(where + u'\n' + found));
      if (size.height() < 600 || where.endsWith(QLatin1String("more"))) return;
      const QWidget* page = shownPage(whole.window);       // its main action is in sight: the page as a whole does not scroll
      const int room = page->parentWidget()->height();
      QVERIFY2(room >= page->height(), qPrintable(QStringLiteral("%1: %2 of %3").arg(where).arg(room).arg(page->height())));
    };
    look(QStringLiteral("Compare, new"));
    whole.compare().recipeBar()->showMore();
    look(QStringLiteral("Compare, more"));
    for (const auto task : {study::Task::Rate, study::Task::SpotOne, study::Task::NameEach}) {
      QVERIFY(whole.draws(task));
      look(QStringLiteral("Compare, blind"));
    }
    QVERIFY(whole.reveals());
    QVERIFY(QTest::qWaitFor([&] { return whole.compare().charts()->isVisible() && whole.compare().resultPanel()->isVisible(); }));
    look(QStringLiteral("Compare, revealed"));
    whole.compare().setChartsOnly(true);
    look(QStringLiteral("Compare, charts"));
    const std::pair<MainWindow::Page, const char*> pages[] = {{MainWindow::Evaluate, "Evaluate"}, {MainWindow::Study, "Study"},
        {MainWindow::Decide, "Decide"}, {MainWindow::History, "History"}};
    for (const auto& [page, name] : pages) {
      whole.window.showPage(page);
      if (page == MainWindow::Decide) QVERIFY(QTest::qWaitFor([&] { return whole.session.decision()->decision().has_value(); }, 20000));
      look(QString::fromLatin1(name));
    }
    whole.window.showPage(MainWindow::Study);
    whole.window.studyPage()->newDraft();
    look(QStringLiteral("Study, draft"));
  }

  void windowsBesideFit_data() {
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
  }
  // Each opens with the focus on something, and Escape closes it.
  void windowsBesideFit() {
    QFETCH(bool, dark);
    applyTheme(*qApp, dark);
    QTemporaryDir folder;
    Whole whole(folder.path());
    QVERIFY(whole.ready() && QTest::qWaitForWindowActive(&whole.window));
    const auto look = [&](QWidget* beside, const QString& name) {
      QVERIFY2(beside && beside->isVisible(), qPrintable(name));
      QVERIFY(QTest::qWaitFor([&] { return QApplication::activeWindow() == beside; }));
      const QString found = faults(*beside);
      QVERIFY2(found.isEmpty(), qPrintable(name + u'\n' + found));
      QVERIFY2(qobject_cast<QLabel*>(beside) || QTest::qWaitFor([&] { return beside->focusWidget() != nullptr; }), qPrintable(name));
      for (int press = 0; press < 2 && beside->isVisible(); ++press)   // of two pictures the first leads back to both
        QTest::keyClick(beside->focusWidget() ? beside->focusWidget() : beside, Qt::Key_Escape);
      QVERIFY2(!beside->isVisible(), qPrintable(name));
    };
    whole.window.programMenu()->showKeys();
    look(whole.window.programMenu()->keys(), QStringLiteral("Keys"));
    whole.compare().precisionPanel()->policyButton()->click();
    look(whole.compare().policyEditor(), QStringLiteral("Policy"));
    Q_EMIT whole.compare().recipeBar()->downloadWanted();
    look(whole.compare().downloadDialog(), QStringLiteral("Download"));
    whole.window.showPage(MainWindow::Evaluate);
    EvaluatePage& evaluate = *whole.window.evaluatePage();
    evaluate.setup()->measure()->open();
    look(evaluate.setup()->measure(), QStringLiteral("Measure"));
    Q_EMIT evaluate.setup()->measure()->weightsPressed();
    look(evaluate.weights(), QStringLiteral("Weights"));
    whole.window.showPage(MainWindow::Decide);
    QVERIFY(QTest::qWaitFor([&] { return whole.session.decision()->decision().has_value(); }, 20000));
    auto* exporter = whole.window.decidePage()->findChild<ExportDialog*>();
    exporter->open(QStringLiteral("bf16"));
    look(exporter, QStringLiteral("Export"));
    whole.window.showPage(MainWindow::Compare);
    QVERIFY(whole.draws(study::Task::NameEach) && whole.reveals());
    Q_EMIT whole.window.historyPage()->compareWanted(whole.session.comparison()->id);
    look(whole.window.pairWindow(), QStringLiteral("Two pictures"));
  }

  void cellsOfConfusionsCanBeRead() {
    for (const bool dark : {false, true}) {
      applyTheme(*qApp, dark);
      for (const bool right : {false, true})
        for (int share = 0; share <= 20; ++share) {
          const CellColours colours = confusionColours(right, share / 20.0);
          const auto [low, high] = std::minmax({luminance(colours.ground.rgb()), luminance(colours.text.rgb())});
          QVERIFY2((high + 0.05) / (low + 0.05) >= 4.5, qPrintable(colours.text.name() + QStringLiteral(" on ") + colours.ground.name()));
        }
    }
  }

  // The preview stands beside the form where both have room, and among its sections where they have not.
  void theDesignerHasRoomForItsForm() {
    QTemporaryDir folder;
    Whole whole(folder.path(), {1400, 800});
    whole.window.showPage(MainWindow::Study);
    whole.window.studyPage()->newDraft();
    StudyDesigner* designer = whole.window.studyPage()->designer();
    QVERIFY(designer);
    const auto placeOf = [&](const QWidget* part) { return QRect(part->mapTo(designer, QPoint()), part->size()); };
    const auto beside = [&] { return placeOf(designer->preview()).left() >= placeOf(designer->comparisons()).right(); };
    QTest::qWait(50);
    QVERIFY(beside());
    for (int turn = 0; turn < 2; ++turn) {                 // there and back
      whole.window.resize(1008, 640), QTest::qWait(50);
      QVERIFY(!beside() && placeOf(designer->preview()).top() > placeOf(designer->blocks()).bottom());
      QCOMPARE(sideways(whole.window), QStringList());
      whole.window.resize(1400, 800), QTest::qWait(50);
      QVERIFY(beside());
    }
  }
};

QTEST_MAIN(FittingTest)
#include "fitting_test.moc"
