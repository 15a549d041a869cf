// The window on the fake engine: what a stranger meets, blindness, naming by keys, reveal, failures, history.
#include "tests/ui/fake_engine.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/compare_session.h"
#include "ui/views/bar_charts.h"
#include "ui/views/charts_panel.h"
#include "ui/views/compare_page.h"
#include "ui/views/eyes_chart.h"
#include "ui/views/history_page.h"
#include "ui/views/image_grid.h"
#include "ui/views/main_window.h"
#include "ui/views/precision_chip.h"
#include "ui/views/precision_panel.h"
#include "ui/views/program_menu.h"
#include "ui/views/question_panel.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/result_panel.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QSet>
#include <QTest>

using namespace quantspot;
using namespace quantspot::views;
using ui::TrialController;

namespace {

const QStringList kTicked{QStringLiteral("bf16"), QStringLiteral("fp8-layerwise"), QStringLiteral("bnb-int8"), QStringLiteral("bnb-nf4")};

struct Bench {
  explicit Bench(QStringList flags = {}) : engine(ui::fakeEngine(std::move(flags))),
      session((store.open(QStringLiteral(":memory:")), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  ComparePage& page() { return *window.comparePage(); }
  ImageGrid& grid() { return *page().grid(); }
  TrialController& trial() { return *session.trial(); }
  void key(Qt::Key key) { QTest::keyClick(&grid(), key); }
  bool ready() { return QTest::qWaitFor([this] { return page().precisionPanel()->generateButton()->isEnabled(); }); }
  bool generate() {
    if (!ready()) return false;
    page().precisionPanel()->generateButton()->click();
    return QTest::qWaitFor([this] { return trial().state() == TrialController::State::Open; });
  }
  void nameAllByKeys() {
    key(Qt::Key_A);
    for (int i = 0; i < trial().slotCount(); ++i) key(static_cast<Qt::Key>(Qt::Key_1 + i));
  }
  QStringList truth() {
    QStringList names;
    for (const ui::SampleResult& sample : trial().samples()) names << sample.sample.precision;
    return names;
  }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

QString joined(const QStringList& lines) { return lines.join(u'\n'); }

QString firstDifference(const QStringList& texts) {
  const QStringList a = texts[0].split(u'\n'), b = texts[1].split(u'\n');
  for (qsizetype i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] != b[i]) return a[i] + QStringLiteral("\n") + b[i];
  return QStringLiteral("one is longer");
}

}  // namespace

class ComparePageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void aStrangerFindsEverythingFilledIn() {
    Bench bench;
    QVERIFY(bench.ready());
    QCOMPARE(bench.page().recipeBar()->recipe().prompt, std::string("a fox on a yellow background"));
    QCOMPARE(bench.session.precisions()->checkedIds(), kTicked);
    QCOMPARE(bench.grid().count(), 0);
    QVERIFY(!bench.page().charts()->isOut());
  }

  void nothingToldBeforeTheAnswerDependsOnTheOrder_data() {
    QTest::addColumn<study::Task>("task");
    QTest::newRow("name each") << study::Task::NameEach;
    QTest::newRow("rate") << study::Task::Rate;
  }
  void nothingToldBeforeTheAnswerDependsOnTheOrder() {
    QFETCH(study::Task, task);
    Bench bench;
    bench.page().questionPanel()->setTask(task);
    QVERIFY(bench.generate());
    bench.nameAllByKeys();
    bench.page().answer();
    // What was measured names a limit of the Decide page, once: before the first of the screens that are compared.
    QTRY_VERIFY(joined(saidBy(&bench.window)).contains(QStringLiteral("CLIP-tiny score may fall by")));
    QSet<QString> orders, screens, readers;
    for (int trial = 0; trial < 40; ++trial) {
      QVERIFY(bench.session.askAgain(task));
      QCoreApplication::processEvents();
      screens << joined(saidBy(&bench.window));
      readers << joined(saidToReaders(&bench.window));
      bench.nameAllByKeys();
      bench.page().answer();
      orders << joined(bench.truth());
    }
    QVERIFY(orders.size() > 5);                       // else the test below says nothing
    if (screens.size() > 1) qInfo("%s", qPrintable(firstDifference(screens.values())));
    QCOMPARE(screens.size(), 1);
    QCOMPARE(readers.size(), 1);
  }

  void noPrecisionIsNamedNearThePicturesBeforeTheAnswer() {
    Bench bench;
    QVERIFY(bench.generate());
    const QString near = joined(saidBy(bench.grid().parentWidget()->window()->findChild<ImageGrid*>())) + joined(saidToReaders(&bench.grid()));
    for (const QString& precision : kTicked) QVERIFY2(!near.contains(precision), qPrintable(near));
    QVERIFY(!bench.session.comparison());
    QVERIFY(!bench.page().charts()->isOut());
    QVERIFY(!bench.page().resultPanel()->isVisible());
    const QImage before = bench.grid().grab().toImage();
    for (int view = 0; view < 4; ++view) {             // no difference, heat-map or edge view either
      bench.key(Qt::Key_X);
      QCOMPARE(bench.grid().grab().toImage(), before);
    }
    bench.grid().showDifference(ImageGrid::kAllTiles);
    QCOMPARE(bench.grid().grab().toImage(), before);
  }

  void lettersAndDigitsNameTheTilesAndEnterReveals() {
    Bench bench;
    QVERIFY(bench.generate());
    bench.key(Qt::Key_C);
    bench.key(Qt::Key_4);
    QCOMPARE(bench.trial().choice(2), QStringLiteral("bnb-nf4"));
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.trial().state(), TrialController::State::Open);      // three have no name yet
    bench.trial().undo();
    bench.nameAllByKeys();
    QCOMPARE(bench.trial().choice(0), kTicked[0]);
    QCOMPARE(bench.trial().choice(3), kTicked[3]);
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.trial().state(), TrialController::State::Revealed);
    QTRY_VERIFY(bench.page().charts()->isOut());
    QVERIFY(bench.page().resultPanel()->isVisible());
    QCOMPARE(bench.page().charts()->memory()->figures().size(), 4u);
    QCOMPARE(bench.session.confusion().empty(), false);
    QCOMPARE(bench.page().charts()->eyes()->order().size(), 4);
    bench.window.showPage(MainWindow::Compare);
    bench.page().setChartsOnly(true);
    QVERIFY(!bench.grid().isVisible() && bench.page().charts()->isVisible());
    bench.page().setChartsOnly(false);
    QVERIFY(bench.grid().isVisible());
  }

  void everyTileCanBeNamedByItsOwnLetter() {
    Bench bench;
    QVERIFY(bench.generate());
    for (int i = 0; i < bench.trial().slotCount(); ++i) {
      bench.key(static_cast<Qt::Key>(Qt::Key_A + i));   // armed already after the tile before it: must stay so
      bench.key(static_cast<Qt::Key>(Qt::Key_1 + i));
    }
    QVERIFY(bench.trial().canAnswer());
  }

  // Whatever was clicked on the right, letters and digits still mean tiles.
  void keysReachThePicturesFromTheForm() {
    Bench bench;
    QVERIFY(bench.generate());
    auto* chip = bench.page().questionPanel()->findChild<PrecisionChip*>();
    auto* combo = bench.page().questionPanel()->findChild<QComboBox*>();
    QVERIFY(chip && combo && !(combo->focusPolicy() & Qt::ClickFocus));
    bench.page().questionPanel()->answerButton()->setFocus();
    for (const Qt::Key key : {Qt::Key_B, Qt::Key_3}) QTest::keyClick(bench.window.focusWidget(), key);
    QCOMPARE(bench.trial().choice(1), kTicked[2]);
    bench.page().recipeBar()->focusPrompt();             // there they are letters
    QTest::keyClick(bench.window.focusWidget(), Qt::Key_D);
    QVERIFY(bench.page().recipeBar()->recipe().prompt.ends_with('d') || bench.page().recipeBar()->recipe().prompt == "d");
    QCOMPARE(bench.trial().choice(3), QString());
  }

  void theOddTileIsPickedByItsLetter() {
    Bench bench;
    bench.page().questionPanel()->setTask(study::Task::SpotOne);
    QVERIFY(bench.generate());
    QCOMPARE(bench.grid().count(), 4);
    bench.key(Qt::Key_D);
    QCOMPARE(bench.trial().picked(), 3);
    bench.page().questionPanel()->answerButton()->click();
    QCOMPARE(bench.trial().state(), TrialController::State::Revealed);
  }

  void picturesAreRatedByKeysAndButtons() {
    Bench bench;
    bench.page().questionPanel()->setTask(study::Task::Rate);
    QVERIFY(bench.generate());
    QCOMPARE(bench.grid().count(), 4);
    bench.key(Qt::Key_B);
    bench.key(Qt::Key_7);                                // no grade
    QCOMPARE(bench.trial().grade(1), 0);
    bench.key(Qt::Key_2);
    bench.key(Qt::Key_5);                                // C is armed now
    QCOMPARE(bench.trial().grade(1), 2);
    QCOMPARE(bench.trial().grade(2), 5);
    QVERIFY(joined(saidBy(bench.page().questionPanel())).contains(QStringLiteral("poor")));
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.trial().state(), TrialController::State::Open);
    QVERIFY(joined(saidBy(&bench.window)).contains(QStringLiteral("Still without a grade: A, D")));
    bench.trial().undo();
    QCOMPARE(bench.trial().grade(2), 0);
    for (int tile = 0; tile < 4; ++tile)
      for (auto* button : bench.page().questionPanel()->findChildren<QPushButton*>()) {
        if (button->accessibleName() != QStringLiteral("Tile %1: 4, Good").arg(QChar(u'A' + tile))) continue;
        QVERIFY(button->height() >= 30 && button->width() >= 30);
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(button->isChecked());
      }
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.trial().state(), TrialController::State::Revealed);
    QTRY_VERIFY(bench.page().charts()->isOut());
    QVERIFY(joined(saidBy(bench.page().resultPanel())).contains(QStringLiteral("4 good")));
    QCOMPARE(bench.page().charts()->eyes()->ratings().size(), 4u);
    QCOMPARE(bench.page().charts()->eyes()->ratings()[0].precision, QStringLiteral("bf16"));
    QVERIFY(bench.session.score()->text(study::Task::Rate, bench.session.model()).contains(QStringLiteral("bf16 4.0, N = 1")));
    QVERIFY(bench.session.openPast(bench.session.history()->comparisonAt(0)));
    QVERIFY(joined(saidBy(bench.page().resultPanel())).contains(QStringLiteral("4 good")));
    QCOMPARE(bench.page().charts()->eyes()->ratings().size(), 4u);
    bench.page().questionPanel()->setTask(study::Task::NameEach);
    QVERIFY(bench.generate());                           // blind again: of the grades nothing stays on the tiles
    QVERIFY(!bench.page().resultPanel()->isVisible() && !bench.page().charts()->isOut());
    for (int tile = 0; tile < 4; ++tile) QVERIFY(bench.trial().choice(tile).isEmpty());
  }

  void aFailedVariantIsToldByNameWhileTheOthersGoOn() {
    Bench bench({QStringLiteral("--error=bnb-int8")});
    QVERIFY(bench.generate());
    QCOMPARE(bench.grid().count(), 3);
    const QString said = joined(saidBy(bench.page().precisionPanel()));
    QVERIFY2(said.contains(QStringLiteral("bnb-int8 failed: bnb-int8 needs 3.2 GiB")), qPrintable(said));
  }

  void aDyingEngineCostsOneVariant() {
    Bench bench({QStringLiteral("--die-on=bnb-nf4")});
    QVERIFY(bench.generate());
    QCOMPARE(bench.grid().count(), 3);
    QVERIFY(joined(saidBy(bench.page().precisionPanel())).contains(QStringLiteral("bnb-nf4 failed:")));
  }

  void whatCannotRunIsSaidBesideTheButton() {
    Bench bench;
    QVERIFY(bench.ready());
    protocol::Recipe recipe = bench.page().recipeBar()->recipe();
    recipe.width = 120;
    bench.page().recipeBar()->setRecipe(recipe);
    QVERIFY(!bench.page().precisionPanel()->generateButton()->isEnabled());
    QVERIFY(joined(saidBy(bench.page().precisionPanel())).contains(QStringLiteral("multiples of 16")));
  }

  void theHistoryOpensWithNamesAndCharts() {
    Bench bench;
    QVERIFY(bench.generate());
    bench.nameAllByKeys();
    bench.page().answer();
    QVERIFY(bench.generate());                          // another one, blind
    bench.window.showPage(MainWindow::History);
    QCOMPARE(bench.session.history()->rowCount(), 1);   // the blind one is not there
    QListView* sheets = bench.window.historyPage()->sheets();
    QTest::mouseClick(sheets->viewport(), Qt::LeftButton, {}, sheets->visualRect(sheets->model()->index(0, sheets->modelColumn())).center());
    QTRY_VERIFY(bench.page().isVisible());
    QCOMPARE(bench.grid().count(), 4);
    QVERIFY(bench.page().charts()->isOut());
    QVERIFY(bench.page().resultPanel()->isVisible());
  }

  void theCogwheelTellsKeysAndVersions() {
    Bench bench;
    QVERIFY(bench.ready());
    QTest::keyClick(&bench.window, Qt::Key_F1);
    QVERIFY(bench.window.programMenu()->keys() && bench.window.programMenu()->keys()->isVisible());
    QVERIFY(bench.window.programMenu()->keys()->text().contains("this tile has that precision, or that grade"));
    Q_EMIT bench.window.programMenu()->aboutToShow();
    QStringList texts;
    for (const QAction* action : bench.window.programMenu()->actions()) texts << action->text();
    QVERIFY2(joined(texts).contains("libtorch"), qPrintable(joined(texts)));
  }

  void bothThemesAndASmallWindowShowEverything() {
    for (const bool dark : {false, true}) {
      applyTheme(*qApp, dark);
      Bench bench;
      bench.window.resize(980, 620);                     // nothing scrolls yet
      QVERIFY(bench.generate());
      for (QPushButton* button : {bench.page().precisionPanel()->generateButton(), bench.page().questionPanel()->answerButton()}) {
        const QRect place(button->mapTo(&bench.window, QPoint(0, 0)), button->size());
        QVERIFY(bench.window.rect().contains(place));
        QVERIFY(button->width() >= button->sizeHint().width());
      }
    }
    applyTheme(*qApp, false);
  }
};

QTEST_MAIN(ComparePageTest)
#include "compare_page_test.moc"
