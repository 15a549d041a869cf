// The history on the fake engine: tags, another run with one change, any two pictures that share a recipe.
#include "tests/ui/fake_engine.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/compare_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/history_actions.h"
#include "ui/views/history_page.h"
#include "ui/views/image_grid.h"
#include "ui/views/main_window.h"
#include "ui/views/pair_window.h"
#include "ui/views/precision_panel.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QListView>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

using namespace quantspot;
using namespace quantspot::views;
using ui::HistoryModel;
using ui::TrialController;

namespace {

struct Bench {
  Bench() : engine(ui::fakeEngine()), session((store.open(QStringLiteral(":memory:")), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  HistoryPage& page() { return *window.historyPage(); }
  HistoryActions& actions() { return *page().actions(); }
  ui::PrecisionListModel& precisions() { return *session.precisions(); }
  QPushButton& generateButton() { return *window.comparePage()->precisionPanel()->generateButton(); }
  bool ready() { return QTest::qWaitFor([this] { return generateButton().isEnabled(); }); }
  bool opensBlind() { return QTest::qWaitFor([this] { return session.trial()->state() == TrialController::State::Open; }); }
  // A comparison of these precisions that is answered.
  bool draw(const QStringList& ids) {
    if (!QTest::qWaitFor([this] { return precisions().rowCount() > 0; })) return false;
    for (const QString& id : precisions().ids()) precisions().setChecked(id, ids.contains(id));
    if (!ready()) return false;
    generateButton().click();
    if (!opensBlind()) return false;
    for (int slot = 0; slot < session.trial()->slotCount(); ++slot) session.trial()->choose(slot, session.trial()->options()[slot]);
    return session.trial()->answer();
  }
  QVariant of(int row, HistoryModel::Role role) { return session.history()->index(row, 0).data(role); }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

QString said(const QWidget* widget) { return saidBy(widget).join(u'\n'); }

}  // namespace

class HistoryPageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void tagsAreKeptShownAndFound() {
    Bench bench;
    QVERIFY(bench.draw({"bf16", "bnb-nf4"}) && bench.draw({"bf16", "bnb-int8"}));
    bench.window.showPage(MainWindow::History);
    QVERIFY(bench.actions().isVisible());
    bench.actions().tags()->setFocus();
    QTest::keyClicks(bench.actions().tags(), " soft edges , good,good,");
    QTest::keyClick(bench.actions().tags(), Qt::Key_Return);
    QCOMPARE(bench.of(0, HistoryModel::TagsRole).toStringList(), (QStringList{"good", "soft edges"}));
    QVERIFY(bench.of(1, HistoryModel::TagsRole).toStringList().isEmpty());
    bench.page().search()->setText("SOFT");
    QCOMPARE(bench.session.history()->rowCount(), 1);
    bench.page().search()->clear();
    QCoreApplication::processEvents();                          // buttons of the tags are shown
    QToolButton* tag = nullptr;
    for (auto* button : bench.page().findChildren<QToolButton*>())
      if (button->text() == "#good" && button->isVisible()) tag = button;
    QVERIFY(tag);
    tag->click();
    QCOMPARE(bench.session.history()->rowCount(), 1);
    bench.page().search()->clear();
    QCOMPARE(bench.session.history()->rowCount(), 2);
    QVERIFY(bench.store.setTags(bench.session.history()->comparisonAt(0), {}));
    QVERIFY(bench.store.tags().isEmpty());
  }

  void theRightButtonChoosesAndTheLeftOneOpens() {
    Bench bench;
    QVERIFY(bench.draw({"bf16", "bnb-nf4"}) && bench.draw({"bf16", "bnb-int8"}));
    bench.window.showPage(MainWindow::History);
    QListView* sheets = bench.page().sheets();
    QCOMPARE(sheets->currentIndex().row(), 0);
    const QPoint second = sheets->visualRect(bench.session.history()->index(1, sheets->modelColumn())).center();
    QContextMenuEvent right(QContextMenuEvent::Mouse, second, sheets->viewport()->mapToGlobal(second));
    QCoreApplication::sendEvent(sheets->viewport(), &right);
    QCOMPARE(sheets->currentIndex().row(), 1);
    QVERIFY(bench.page().isVisible());
    const qint64 chosen = bench.session.history()->comparisonAt(1);
    bench.session.history()->reload();                          // stays chosen
    QCOMPARE(bench.session.history()->comparisonAt(sheets->currentIndex().row()), chosen);
    QTest::mouseClick(sheets->viewport(), Qt::LeftButton, {}, second);
    QTRY_VERIFY(bench.window.comparePage()->isVisible());
    QCOMPARE(bench.session.comparison()->id, chosen);
  }

  void aPastRunIsTakenUpWithItsRecipeAndPrecisions() {
    Bench bench;
    QVERIFY(bench.draw({"bf16", "bnb-nf4?skip=proj_out", "bnb-nf4"}));
    bench.precisions().addPolicy("bnb-nf4?skip=proj_out");
    QVERIFY(bench.draw({"bf16", "bnb-nf4?skip=proj_out"}));
    bench.precisions().removePolicy(bench.precisions().rowCount() - 1);
    QVERIFY(bench.draw({"bf16", "bnb-int8", "fp8-layerwise"}));
    const auto seed = bench.window.comparePage()->recipeBar()->recipe().seed;
    bench.window.showPage(MainWindow::History);
    bench.page().sheets()->setCurrentIndex(bench.session.history()->index(1, bench.page().sheets()->modelColumn()));
    bench.actions().changeButton()->click();
    QVERIFY(bench.window.comparePage()->isVisible());
    QCOMPARE(bench.precisions().checkedIds(), (QStringList{"bf16", "bnb-nf4?skip=proj_out"}));
    QVERIFY(said(bench.window.comparePage()).contains("change one thing and press Generate"));
    bench.window.showPage(MainWindow::History);
    bench.actions().nextSeedButton()->click();
    QVERIFY(bench.opensBlind());
    QCOMPARE(bench.window.comparePage()->recipeBar()->recipe().seed, seed + 1);
    QCOMPARE(bench.session.trial()->options(), (QStringList{"bf16", "bnb-nf4?skip=proj_out"}));
  }

  void anyTwoPicturesOfOneRecipeAreCompared() {
    Bench bench;
    QVERIFY(bench.draw({"bnb-nf4", "bnb-int8"}) && bench.draw({"bf16", "bnb-nf4"}));
    protocol::Recipe other = bench.window.comparePage()->recipeBar()->recipe();
    other.seed += 5;
    bench.window.comparePage()->recipeBar()->setRecipe(other);
    QVERIFY(bench.draw({"bf16", "fp8-layerwise"}));
    bench.window.showPage(MainWindow::History);
    bench.page().sheets()->setCurrentIndex(bench.session.history()->index(2, bench.page().sheets()->modelColumn()));
    bench.actions().compareButton()->click();
    PairWindow* pair = bench.window.pairWindow();
    QVERIFY(pair && pair->isVisible());
    QStringList offered;
    for (int i = 0; i < pair->left()->count(); ++i) offered << pair->left()->itemData(i).toString();
    offered.sort();
    QCOMPARE(offered, (QStringList{"bf16", "bnb-int8", "bnb-nf4"}));   // of both comparisons; not those of another seed
    QCOMPARE(pair->left()->currentData().toString(), QStringLiteral("bf16"));
    pair->right()->setCurrentIndex(pair->right()->findData("bnb-int8"));
    QCOMPARE(pair->grid()->count(), 2);
    QCOMPARE(pair->grid()->mode(), ImageGrid::Mode::Pair);
    QVERIFY2(pair->note().startsWith("PSNR between them") && pair->note().contains("dB"), qPrintable(pair->note()));
    pair->grid()->setMode(ImageGrid::Mode::Slider);
    pair->grid()->zoomBy(2);
    const ViewTransform zoom = pair->grid()->transform();
    QVERIFY(!zoom.fitted());
    pair->right()->setCurrentIndex(pair->right()->findData("bnb-nf4"));
    QCOMPARE(pair->grid()->mode(), ImageGrid::Mode::Slider);           // and the zoom survive
    QVERIFY(pair->grid()->transform() == zoom);
    pair->right()->setCurrentIndex(pair->left()->currentIndex());
    QVERIFY(pair->note().startsWith("Equal pixel for pixel."));
  }

  // Files are asked for beside the work: nothing is modal, and what is chosen is written.
  void answersAreSavedWithoutHoldingUpTheWindow() {
    QTemporaryDir folder;
    Bench bench;
    QVERIFY(bench.draw({"bf16", "bnb-nf4"}));
    bench.window.showPage(MainWindow::History);
    for (auto* button : bench.page().findChildren<QPushButton*>())
      if (button->text().startsWith("Save answers")) button->click();
    auto* dialog = bench.page().findChild<QFileDialog*>();
    QVERIFY(dialog && dialog->isVisible() && !dialog->isModal() && !QApplication::activeModalWidget());
    QCOMPARE(dialog->acceptMode(), QFileDialog::AcceptSave);
    QCOMPARE(dialog->defaultSuffix(), QStringLiteral("csv"));
    Q_EMIT dialog->filesSelected({folder.filePath("mine.csv")});
    QFile saved(folder.filePath("mine.csv"));
    QVERIFY(saved.open(QIODevice::ReadOnly));
    QCOMPARE(saved.readAll().count(",name-each,"), 2);
    Q_EMIT bench.page().exportWanted("/nowhere/mine.csv");
    auto* box = bench.window.findChild<QMessageBox*>();
    QVERIFY(box && !box->isModal() && box->text().contains("/nowhere/mine.csv"));
  }

  void whatIsBlindIsNeverOffered() {
    Bench bench;
    QVERIFY(bench.draw({"bf16", "bnb-nf4"}));
    const qint64 first = bench.session.history()->comparisonAt(0);
    for (const QString& id : {QStringLiteral("bnb-nf4"), QStringLiteral("bnb-int8")}) bench.precisions().setChecked(id, true);
    QVERIFY(bench.ready());
    bench.generateButton().click();
    QVERIFY(bench.opensBlind());                                      // the same recipe once more
    QCOMPARE(bench.session.history()->rowCount(), 1);
    for (const auto& one : bench.session.sharing(first)) QCOMPARE(one.comparison, first);
    Q_EMIT bench.page().compareWanted(first);                         // the same pictures, with names: not now
    QVERIFY(!bench.window.pairWindow());
    QVERIFY(bench.window.findChild<QMessageBox*>()->text().contains("judged blind"));
    for (int slot = 0; slot < bench.session.trial()->slotCount(); ++slot) bench.session.trial()->choose(slot, bench.session.trial()->options()[slot]);
    QVERIFY(bench.session.trial()->answer());
    Q_EMIT bench.page().compareWanted(first);
    QVERIFY(bench.window.pairWindow()->isVisible());
    QVERIFY(bench.session.askAgain(study::Task::Rate));
    QVERIFY(!bench.window.pairWindow()->isVisible());
    QVERIFY(bench.session.sharing(99).empty());
  }
};

QTEST_MAIN(HistoryPageTest)
#include "history_page_test.moc"
