// A whole comparison through the real window, the real engine and the embedded default model.
#include "ui/models/compare_session.h"
#include "ui/views/bar_charts.h"
#include "ui/views/charts_panel.h"
#include "ui/views/compare_page.h"
#include "ui/views/eyes_chart.h"
#include "ui/views/history_page.h"
#include "ui/views/image_grid.h"
#include "ui/views/main_window.h"
#include "ui/views/precision_panel.h"
#include "ui/views/quality_chart.h"
#include "ui/views/question_panel.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QListView>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <csignal>

using namespace quantspot;
using namespace quantspot::views;
using ui::TrialController;

namespace {

constexpr int kPatience = 300000;        // ms; the machine may be shared
// ms; aimed at 50, asserted loosely: a busy machine stops any thread for a while, and sanitizers take ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kMostBlocked = 2500;
#else
constexpr int kMostBlocked = 250;
#endif

// The longest time for which the event loop did not turn.
class Heartbeat : public QObject {
 public:
  Heartbeat() {
    timer_.setTimerType(Qt::PreciseTimer);
    connect(&timer_, &QTimer::timeout, this, [this] { longest_ = std::max(longest_, since_.restart() - kTick); });
  }
  void start() { longest_ = 0, since_.start(), timer_.start(kTick); }
  qint64 longest() const { return longest_; }

 private:
  static constexpr int kTick = 5;
  QTimer timer_;
  QElapsedTimer since_;
  qint64 longest_ = 0;
};

// The program as main.cpp puts it together. The engine runs behind a shell that notes its process id.
struct Program {
  explicit Program(const QString& folder)
      : pidFile(folder + QStringLiteral("/pid")),
        engine(ui::EngineCommand{QStringLiteral("/bin/sh"),
                                 {QStringLiteral("-c"), QStringLiteral("echo $$ > '%1'; exec '%2'").arg(pidFile, QStringLiteral(REAL_ENGINE))}}),
        session((store.open(folder + QStringLiteral("/study.sqlite")), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  ComparePage& page() { return *window.comparePage(); }
  QPushButton* generateButton() { return page().precisionPanel()->generateButton(); }
  bool ready() { return QTest::qWaitFor([this] { return generateButton()->isEnabled(); }, kPatience); }
  void setRecipe(int steps) {
    protocol::Recipe recipe = page().recipeBar()->recipe();
    recipe.steps = steps;
    page().recipeBar()->setRecipe(recipe);
  }
  bool pictures() { return QTest::qWaitFor([this] { return session.trial()->state() == TrialController::State::Open; }, kPatience); }
  void nameEach() {
    QTest::keyClick(page().grid(), Qt::Key_A);
    for (int i = 0; i < session.trial()->slotCount(); ++i) QTest::keyClick(page().grid(), static_cast<Qt::Key>(Qt::Key_1 + i));
  }
  qint64 enginePid() const {
    QFile file(pidFile);
    return file.open(QIODevice::ReadOnly) ? file.readAll().trimmed().toLongLong() : 0;
  }

  QString pidFile;
  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

}  // namespace

class ComparisonGuiTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void generateNameRevealCloseReopen() {
    QTemporaryDir folder;
    QString score;
    std::vector<QImage> pictures;
    Heartbeat heartbeat;
    {
      Program program(folder.path());
      heartbeat.start();
      QVERIFY(program.ready());
      QCOMPARE(program.session.precisions()->checkedIds().size(), 4);
      program.setRecipe(8);
      program.generateButton()->click();
      QVERIFY(program.pictures());
      QCOMPARE(program.page().grid()->count(), 4);
      program.nameEach();
      program.page().questionPanel()->answerButton()->click();
      QCOMPARE(program.session.trial()->state(), TrialController::State::Revealed);
      QTRY_VERIFY_WITH_TIMEOUT(program.page().charts()->isOut(), 5000);
      checkFigures(program);
      for (const ui::SampleResult& sample : program.session.trial()->samples()) pictures.push_back(sample.image);
      score = program.session.score()->text(study::Task::NameEach);
      QVERIFY(score.contains(QStringLiteral("/4")));
      qInfo("the event loop stood still for at most %lld ms", heartbeat.longest());
      QVERIFY2(heartbeat.longest() <= kMostBlocked, qPrintable(QString::number(heartbeat.longest())));
    }
    Program again(folder.path());
    QCOMPARE(again.session.score()->text(study::Task::NameEach), score);
    again.window.showPage(MainWindow::History);
    QListView* sheets = again.window.historyPage()->sheets();
    QCOMPARE(sheets->model()->rowCount(), 1);
    QTest::mouseClick(sheets->viewport(), Qt::LeftButton, {}, sheets->visualRect(sheets->model()->index(0, sheets->modelColumn())).center());
    QTRY_VERIFY(again.page().isVisible());
    QCOMPARE(again.page().grid()->count(), 4);
    QCOMPARE(again.page().charts()->memory()->figures().size(), 4u);
    for (const ui::SampleResult& sample : again.session.comparison()->samples)
      QVERIFY(std::find(pictures.begin(), pictures.end(), sample.image) != pictures.end());
  }

  void aKilledEngineIsReportedAndTheRestFinish() {
    QTemporaryDir folder;
    Program program(folder.path());
    QVERIFY(program.ready());
    program.setRecipe(20);
    QString lost, reason;
    connect(&program.session, &ui::CompareSession::variantFailed, this,
            [&](const QString& precision, const QString& why) { lost = precision, reason = why; });
    program.generateButton()->click();
    QVERIFY(QTest::qWaitFor([&] {
      return program.session.statusText().contains(QStringLiteral("step 3/20")) || program.session.fraction() > 0.06;
    }, kPatience));
    QVERIFY(program.enginePid() > 1);
    QCOMPARE(::kill(static_cast<pid_t>(program.enginePid()), SIGKILL), 0);
    QVERIFY(program.pictures());
    QCOMPARE(program.page().grid()->count(), 3);
    QVERIFY2(!lost.isEmpty() && !reason.isEmpty(), "no variant was reported");
    qInfo("%s: %s", qPrintable(lost), qPrintable(reason));
    QVERIFY(!program.session.trial()->options().contains(lost));
    const auto labels = program.page().precisionPanel()->findChildren<QLabel*>();
    QVERIFY(std::any_of(labels.begin(), labels.end(), [&](QLabel* label) {
      return label->isVisible() && label->text().contains(lost + QStringLiteral(" failed: ") + reason);
    }));
  }

 private:
  void checkFigures(Program& program) {
    ChartsPanel* charts = program.page().charts();
    QTRY_VERIFY_WITH_TIMEOUT(charts->quality()->figures().at(0).scores.clip.has_value(), kPatience);
    QCOMPARE(charts->memory()->figures().size(), 4u);
    for (const Figures& figures : charts->latency()->figures()) {
      QCOMPARE(figures.steps.size(), 8u);
      QVERIFY(figures.total > 0 && figures.highestPeak() > 0 && figures.weights > 0);
      QVERIFY(figures.precision == QLatin1String(study::kReference) || figures.scores.psnr.has_value());
    }
    QCOMPARE(charts->eyes()->order().size(), 4);
  }
};

QTEST_MAIN(ComparisonGuiTest)
#include "comparison_gui_test.moc"
