// Participant mode as a person meets it: keys alone from the passphrase to the thanks, what is on screen, sizes and themes.
#include "tests/ui/views/participant_bench.h"
#include "ui/views/plate_page.h"
#include "ui/models/trial_choices.h"
#include "ui/views/image_grid.h"
#include "ui/views/message_card.h"
#include "ui/views/participant_window.h"
#include "ui/views/question_form.h"
#include "ui/views/ranking_strip.h"
#include "ui/views/theme.h"
#include "ui/views/trial_page.h"

#include <QAbstractButton>
#include <QApplication>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QRadioButton>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QToolButton>

using namespace quantspot;
using namespace quantspot::views;
using namespace sample;

namespace {

}  // namespace

class ParticipantWindowTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void aWholeStudyByKeysAlone() {
    Bench bench;
    QVERIFY(bench.start());
    int answers = 0;
    while (bench.session.stage() != Stage::After) {
      while (bench.session.stage() == Stage::Break || bench.session.stage() == Stage::Feedback) bench.key(Qt::Key_Return);
      QVERIFY(bench.openTrial());
      bench.answerByKeys(), ++answers;
    }
    QCOMPARE(answers, 16);
    QVERIFY(bench.told().contains("It was hard."));
    bench.key(Qt::Key_Return, Qt::ControlModifier);                    // not yet answered
    QCOMPARE(bench.session.stage(), Stage::After);
    QVERIFY(bench.told().contains("Still to answer: It was hard."));
    bench.key(Qt::Key_Space);
    bench.key(Qt::Key_Tab);
    QTest::keyClicks(QApplication::focusWidget(), "no");
    bench.key(Qt::Key_Tab);
    bench.key(Qt::Key_Space);                                          // Continue
    QCOMPARE(bench.session.stage(), Stage::Thanks);
    QCOMPARE(bench.disk.records("questionnaire")[1]["answers"].toObject(), (QJsonObject{{"hard", 1}, {"more", "no"}}));
    const Responses responses = bench.disk.responses();
    QVERIFY2(responses.problems.isEmpty(), qPrintable(responses.problems.join('\n')));
    QCOMPARE(responses.rows.size(), std::size_t(16));
    const QJsonObject screen = bench.disk.records("response").back()["screen"].toObject();
    QVERIFY(screen["width"].toInt() == 1280 && screen["pixel_ratio"].toDouble() > 0);
    QVERIFY2(screen["zoom"].toDouble() > 2, qPrintable(QString::number(screen["zoom"].toDouble())));   // 48 pixels, fitted
  }

  // By keys alone; what was chosen can be changed until Return, and every key stands on the page.
  void theColourVisionCheckByKeysAlone() {
    Protocol p = everyKind(1);
    p.colour_plates = 1, p.before.clear();
    Bench bench(p);
    QTest::keyClicks(bench.window.card()->field(), kPassphrase);
    bench.key(Qt::Key_Return);
    QVERIFY(QTest::qWaitFor([&] { return bench.session.stage() == Stage::Welcome; }, 30000));
    QCoreApplication::processEvents();
    bench.key(Qt::Key_Return), bench.key(Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(bench.session.stage(), Stage::Plates);
    PlatePage& page = *bench.window.plates();
    QVERIFY2(bench.told().contains("Which number do you see?") && bench.told().contains("1 of 4") && bench.told().contains("N: no number"),
             qPrintable(bench.told()));
    bench.key(Qt::Key_Return);                                         // nothing is chosen
    QCOMPARE(bench.session.plateNumber(), 1);
    const auto plates = planPlates(bench.disk.study.protocol(), bench.disk.study.hash(), bench.disk.mapping, bench.session.code());
    QStringList given;
    for (const PlannedPlate& plate : plates) {
      bench.key(Qt::Key_1), bench.key(Qt::Key_N);
      QCOMPARE(page.chosen(), QStringLiteral("none"));
      if (plate.axis != ColourAxis::Tritan) bench.key(Qt::Key_0 + plate.numeral);
      given << page.chosen();
      const QImage seen = page.plate()->grab().toImage();
      QCOMPARE(seen.pixelColor(2, 2), QColor(119, 119, 119));          // neutral grey around the plate, light or dark
      bench.key(Qt::Key_Return);
      QVERIFY(QTest::qWaitFor([&] { return !bench.session.isBusy(); }));
    }
    QCOMPARE(bench.session.stage(), Stage::Break);
    QCOMPARE(bench.disk.records("colour-vision")[0]["answers"].toArray(), QJsonArray::fromStringList(given));
    QCOMPARE(platesRead(bench.disk.responses().plates, bench.session.code()), 2);
  }

  void aWrongPassphraseIsSaidAndForgotten() {
    Bench bench;
    QTest::keyClicks(bench.window.card()->field(), "guess");
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.session.stage(), Stage::Locked);
    QVERIFY(bench.told().contains("the passphrase is wrong"));
    QVERIFY(bench.window.card()->fieldText().isEmpty());
    QCOMPARE(bench.window.card()->field()->echoMode(), QLineEdit::Password);
    QTest::keyClicks(bench.window.card()->field(), kPassphrase);
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.session.stage(), Stage::Welcome);
    bench.key(Qt::Key_F2);                                             // the same line, now for a code, in plain letters
    QVERIFY(bench.window.card()->field()->isVisible());
    for (int i = 0; i < 3; ++i) QTest::keyClick(bench.window.card()->field(), Qt::Key_Z, Qt::ControlModifier);
    QVERIFY2(bench.window.card()->fieldText().isEmpty(), "the passphrase can be brought back");
  }

  // Of two pictures nobody is told that "all but one are alike".
  void theTaskIsThatOfItsPictures() {
    const auto spot = [](int pictures) { return ui::instructionOf(study::TrialKind::Spot, pictures, false); };
    QVERIFY(spot(2).contains("two pictures") && !spot(2).contains("alike"));
    QVERIFY(spot(4).contains("All but one are alike"));
  }

  // Every key that does something in a trial stands on the screen, for each kind.
  void everyKeyIsOnScreen() {
    Bench bench;
    QVERIFY(bench.start());
    QSet<study::TrialKind> seen;
    while (bench.session.stage() != Stage::After) {
      while (bench.session.stage() == Stage::Break || bench.session.stage() == Stage::Feedback) {
        const QString task = ui::instructionOf(bench.session.nextKind(), bench.session.nextPictures(), bench.session.nextFlickers());
        if (bench.session.stage() == Stage::Break) QVERIFY2(bench.told().contains(task), qPrintable(bench.told()));
        bench.key(Qt::Key_Return);
      }
      QVERIFY(bench.openTrial());
      const ui::TrialScreen trial = bench.session.trial();
      const QString told = bench.told();
      for (const ui::TrialChoice& choice : ui::choicesOf(trial))
        QVERIFY2(told.contains(QKeySequence(choice.key).toString()), qPrintable(choice.label));
      if (trial.kind == study::TrialKind::SameDifferent) QVERIFY2(told.contains("Same   [S]") && told.contains("Different   [D]"), qPrintable(told));
      if (trial.ties) QVERIFY2(told.contains("No difference   [N]") && told.contains("A is better\n"), qPrintable(told));
      QVERIFY(told.contains("Save answer") && told.contains("P  pause") && told.contains("+ −  zoom"));
      QVERIFY(told.contains(ui::questionOf(trial.kind, static_cast<int>(trial.pictures.size()))));
      const bool apart = trial.pictures.size() > 1 && trial.flicker_hz == 0;
      QCOMPARE(told.contains(QStringLiteral("1–%1  large").arg(trial.pictures.size())), apart);
      QCOMPARE(told.contains("K  flicker"), apart);
      seen << trial.kind;
      bench.answerByKeys();
    }
    QCOMPARE(seen.size(), 7);
  }

  void nothingIsSavedBeforeReturnAndNothingWithoutAChoice() {
    Bench bench;
    QVERIFY(bench.start());
    bench.key(Qt::Key_Return);
    QVERIFY(bench.told().contains("Choose an answer first."));
    bench.key(Qt::Key_A);
    QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("A"));
    bench.key(Qt::Key_B);
    QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("B"));
    QVERIFY(bench.disk.records("response").empty());
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.disk.records("response").size(), std::size_t(1));
    QCOMPARE(bench.disk.records("response")[0]["answer"].toString(), QStringLiteral("B"));
  }

  void theMouseDoesTheSame() {
    Bench bench;
    QVERIFY(bench.start());
    ImageGrid* grid = bench.window.trial()->grid();
    QTest::mouseClick(grid, Qt::LeftButton, {}, grid->tiles()[2].image.center().toPoint());
    QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("C"));
    for (QAbstractButton* button : bench.window.trial()->findChildren<QAbstractButton*>())
      if (button->isVisible() && button->text().startsWith("Save")) {
        QTest::mouseClick(button, Qt::LeftButton);
        break;
      }
    QCOMPARE(bench.disk.records("response").size(), std::size_t(1));
  }

  void theViewersKeysWorkAsTheProtocolAllows() {
    Protocol p = everyKind();
    p.practice = 0;
    Bench bench(p);
    QVERIFY(bench.start());
    ImageGrid* grid = bench.window.trial()->grid();
    bench.key(Qt::Key_2);
    QCOMPARE(grid->mode(), ImageGrid::Mode::Single);
    bench.key(Qt::Key_Plus);
    QVERIFY(!grid->transform().fitted());
    const double scale = grid->transform().scale({48, 48}, {48, 48});
    bench.key(Qt::Key_3);
    QCOMPARE(grid->transform().scale({48, 48}, {48, 48}), scale);      // zoom survives switching
    bench.key(Qt::Key_L);
    QCOMPARE(grid->mode(), ImageGrid::Mode::Slider);
    bench.key(Qt::Key_0), bench.key(Qt::Key_2), bench.key(Qt::Key_L);
    QVERIFY(grid->pair()[0] != grid->pair()[1]);                       // never a picture against itself
    bench.key(Qt::Key_K);
    QCOMPARE(grid->mode(), ImageGrid::Mode::Flicker);
    bench.key(Qt::Key_Up);
    QCOMPARE(grid->flickerRate(), 2.5);
    bench.key(Qt::Key_0);
    QVERIFY(grid->mode() == ImageGrid::Mode::Grid && grid->transform().fitted());
    bench.answerByKeys();
    const QJsonArray tools = bench.disk.records("response")[0]["screen"].toObject()["tools"].toArray();
    QCOMPARE(tools, QJsonArray({"flicker", "slider", "swap", "zoom"}));

    p.viewer = {false, false, false, false};
    Bench bare(p);
    QVERIFY(bare.start());
    grid = bare.window.trial()->grid();
    for (int key : {Qt::Key_2, Qt::Key_Plus, Qt::Key_L, Qt::Key_K, Qt::Key_Left}) bare.key(key);
    QTest::mouseDClick(grid, Qt::LeftButton, {}, grid->tiles()[1].image.center().toPoint());
    QVERIFY(grid->mode() == ImageGrid::Mode::Grid && grid->transform().fitted());
    QVERIFY(!bare.told().contains("zoom") && !bare.told().contains("slider") && !bare.told().contains("flicker"));
  }

  void flickerShowsEveryPictureInOnePlace() {
    Protocol p = everyKind();
    p.practice = 0;
    p.blocks = {p.blocks[0]};
    p.blocks[0].flicker_hz = 10;
    Bench bench(p);
    QVERIFY(bench.start());
    ImageGrid* grid = bench.window.trial()->grid();
    QCOMPARE(grid->mode(), ImageGrid::Mode::Cycle);
    QSet<QByteArray> frames;
    for (int i = 0; i < 60 && frames.size() < 4; ++i) {
      const QImage image = grid->grab().toImage();
      frames << QByteArray(reinterpret_cast<const char*>(image.constBits()), image.sizeInBytes());
      QTest::qWait(30);
    }
    QCOMPARE(frames.size(), 4);                                        // the letters differ even where pictures do not
    bench.key(Qt::Key_2);
    QCOMPARE(grid->mode(), ImageGrid::Mode::Cycle);
  }

  void rankingByKeysAndByTheList() {
    Protocol p = everyKind();
    p.practice = 0;
    p.blocks = {p.blocks[6]};
    Bench bench(p);
    QVERIFY(bench.start());
    RankingStrip* strip = bench.window.trial()->ranking();
    QVERIFY(strip->isVisible());
    bench.key(Qt::Key_C), bench.key(Qt::Key_A);
    QVERIFY(!strip->isComplete() && bench.window.trial()->chosen().isEmpty());
    bench.key(Qt::Key_Backspace);
    bench.key(Qt::Key_B), bench.key(Qt::Key_A);
    QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("C,B,A"));
    auto lists = strip->findChildren<QListWidget*>();
    QCOMPARE(lists[0]->dragDropMode(), QAbstractItemView::DragDrop);
    QListWidgetItem* item = lists[1]->takeItem(2);                     // what a drag to the front does
    lists[1]->insertItem(0, item);
    QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("A,C,B"));
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.disk.records("response")[0]["answer"].toString(), QStringLiteral("A,C,B"));
  }

  // Arrows choose at once, as the line below the questions says; practice of what has no right answer promises none.
  void arrowsChooseAndPracticePromisesWhatItTells() {
    for (bool truth : {true, false}) {
      Protocol p = everyKind();
      p.practice = 1;
      if (!truth) p.blocks[0] = {}, p.blocks[0].kind = TrialKind::Rating, p.blocks[0].trials = 1;
      Bench bench(p);
      QTest::keyClicks(bench.window.card()->field(), kPassphrase);
      for (int i = 0; i < 2; ++i) bench.key(Qt::Key_Return);
      bench.key(Qt::Key_Return, Qt::ControlModifier);
      QCOMPARE(bench.session.stage(), Stage::Before);
      bench.key(Qt::Key_Down), bench.key(Qt::Key_Return, Qt::ControlModifier);
      QTRY_COMPARE(bench.session.stage(), Stage::Break);
      QCOMPARE(bench.disk.records("questionnaire")[0]["answers"].toObject(), (QJsonObject{{"eyes", "no"}}));
      QCOMPARE(bench.told().contains("told what was right"), truth);
      QCOMPARE(bench.told().contains("these answers do not count"), !truth);
    }
  }

  void timeRulesAreSeen() {
    Protocol p = everyKind();
    p.practice = 0, p.min_viewing_s = 0.3, p.time_limit_s = 0.7;
    Bench bench(p);
    QTest::keyClicks(bench.window.card()->field(), kPassphrase);
    for (int i = 0; i < 2; ++i) bench.key(Qt::Key_Return);
    bench.key(Qt::Key_Return, Qt::ControlModifier);
    bench.key(Qt::Key_Space), bench.key(Qt::Key_Return, Qt::ControlModifier), bench.key(Qt::Key_Return);
    QTRY_COMPARE(bench.session.stage(), Stage::Trial);
    QTRY_VERIFY(bench.told().contains("Look for 1 s more"));
    bench.key(Qt::Key_A), bench.key(Qt::Key_Return);
    QVERIFY(bench.disk.records("response").empty());                   // too early
    QTRY_VERIFY(bench.session.timedOut());
    QCOMPARE(bench.window.trial()->grid()->count(), 0);
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.disk.records("response").size(), std::size_t(1));
  }

  void pausingHidesThePictures() {
    Bench bench;
    QVERIFY(bench.start());
    bench.key(Qt::Key_P);
    QCOMPARE(bench.session.stage(), Stage::Paused);
    QCOMPARE(bench.window.trial()->grid()->count(), 0);
    QVERIFY(bench.told().contains(bench.session.code()));
    bench.key(Qt::Key_Return);
    QCOMPARE(bench.session.stage(), Stage::Trial);
    QCOMPARE(bench.window.trial()->grid()->count(), 4);
    bench.key(Qt::Key_P), bench.key(Qt::Key_Q, Qt::ControlModifier);
    QCOMPARE(bench.session.stage(), Stage::Thanks);
    QVERIFY(bench.told().contains(bench.session.code()));
  }

  void aFailureStandsOnTheScreen() {
    Bench bench;
    QVERIFY(bench.start());
    bench.session.failed("the journal cannot be written: disk is full");
    QVERIFY(bench.told().contains("disk is full"));
  }

  // Difference, heat map and edges: in practice, with their legend and their key on the screen; in a trial that counts there is nothing of them.
  void differenceViewsAreForPracticeAlone() {
    Protocol p = everyKind();
    p.practice = 1;
    p.blocks = {p.blocks[0]};
    Bench bench(p);
    QVERIFY(bench.start());
    ImageGrid* grid = bench.window.trial()->grid();
    const auto shown = [&] { return grid->grab().toImage(); };
    QVERIFY(bench.session.trial().practice && bench.told().contains("V  differences from A (practice only)"));
    const QImage pictures = shown();
    QSet<QByteArray> views;
    for (const char* legend : {"Difference from A, ×8", "Difference from A: black equal", "Outlines: white in both"}) {
      bench.key(Qt::Key_V);
      QVERIFY2(grid->legend().startsWith(QString::fromUtf8(legend)), qPrintable(grid->legend()));
      const QImage view = shown();
      views << QByteArray(reinterpret_cast<const char*>(view.constBits()), view.sizeInBytes());
    }
    QCOMPARE(views.size(), 3);
    bench.key(Qt::Key_V);
    QCOMPARE(shown(), pictures);
    bench.key(Qt::Key_V);
    bench.answerByKeys();
    QCOMPARE(bench.disk.records("response")[0]["screen"].toObject()["tools"].toArray(), QJsonArray({"differences"}));
    while (bench.session.stage() == Stage::Break || bench.session.stage() == Stage::Feedback) bench.key(Qt::Key_Return);
    QVERIFY(bench.openTrial());
    QVERIFY(!bench.session.trial().practice && !bench.told().contains("differences"));
    const QImage blind = shown();
    bench.key(Qt::Key_V);
    grid->setReference(bench.session.trial().pictures.front()), grid->setComparing(ImageGrid::Comparing::HeatMap);
    grid->showDifference(ImageGrid::kAllTiles);                        // not even from inside
    QVERIFY(grid->legend().isEmpty());
    QCOMPARE(shown(), blind);
  }

  // While an answer is being written (here another program holds the journal) the screen says so, keys do nothing, and then "Saved".
  void savingIsSaidAndKeysWait() {
    Protocol p = everyKind();
    p.practice = 0;
    Bench bench(p, 20, 400);
    QVERIFY(bench.start());
    {
      QSqlDatabase other = QSqlDatabase::addDatabase("QSQLITE", "other");
      other.setDatabaseName(bench.disk.place().folder + "/station-here.sqlite");
      QVERIFY(other.open() && QSqlQuery(other).exec("BEGIN IMMEDIATE"));
      bench.key(Qt::Key_B), bench.key(Qt::Key_Return);
      QVERIFY(bench.session.isBusy());
      QVERIFY(bench.told().contains("Saving…"));
      for (int key : {Qt::Key_A, Qt::Key_Return, Qt::Key_P, Qt::Key_2, Qt::Key_U}) bench.key(key);
      QCOMPARE(bench.window.trial()->chosen(), QStringLiteral("B"));
      QCOMPARE(bench.session.stage(), Stage::Trial);
      QCOMPARE(bench.window.trial()->grid()->mode(), ImageGrid::Mode::Grid);
      QVERIFY(QSqlQuery(other).exec("ROLLBACK"));
    }
    QSqlDatabase::removeDatabase("other");
    QTRY_COMPARE_WITH_TIMEOUT(bench.session.stage(), Stage::Blank, 10000);
    QVERIFY(bench.told().contains("Saved ✓") && !bench.told().contains("Saving"));
    QVERIFY(bench.openTrial());
    QVERIFY(!bench.told().contains("Saved ✓"));
    QTRY_COMPARE(bench.disk.records("response").size(), std::size_t(1));
    QCOMPARE(bench.disk.records("response")[0]["answer"].toString(), QStringLiteral("B"));
    bench.answerByKeys();                                              // keys work again
    QTRY_COMPARE(bench.disk.records("response").size(), std::size_t(2));
  }

  void breaksSayWhichPartBeginsOrGoesOn() {
    Protocol p = everyKind();
    p.practice = 1, p.break_every = 1;
    p.blocks = {p.blocks[0], p.blocks[1]};
    Bench bench(p);
    QStringList titles;
    QVERIFY(bench.start());
    for (int i = 0; i < 5; ++i) {
      bench.answerByKeys();
      if (bench.session.stage() == Stage::Feedback) {
        QVERIFY(bench.told().contains("Your answer is saved."));
        bench.key(Qt::Key_Return);
      }
      if (bench.session.stage() != Stage::Break) break;
      titles << bench.told().section(u'\n', 0, 0);
      QVERIFY(bench.told().contains("answers so far are saved"));
      bench.key(Qt::Key_Return);
      QVERIFY(bench.openTrial());
    }
    QCOMPARE(titles, (QStringList{"Part 1 of 2", "Part 1 of 2 goes on", "Part 2 of 2", "Part 2 of 2 goes on"}));
  }

  // As at 100, 200 and 300 % on one screen: letters grow, and nothing leaves it.
};

QTEST_MAIN(ParticipantWindowTest)
#include "participant_window_test.moc"
