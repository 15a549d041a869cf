// What windows have in common: file dialogs, windows beside the main one, copying, names in charts.
#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/views/beside.h"
#include "ui/views/compare_page.h"
#include "ui/views/decide_page.h"
#include "ui/views/dropped.h"
#include "ui/views/evaluate_page.h"
#include "ui/views/evaluate_pictures.h"
#include "ui/views/image_grid.h"
#include "ui/views/main_window.h"
#include "ui/views/name_places.h"
#include "ui/views/path_dialog.h"
#include "ui/views/precision_panel.h"
#include "ui/views/plot.h"
#include "ui/views/program_menu.h"
#include "ui/views/quality_chart.h"
#include "ui/views/scan_chart.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QScreen>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QUrl>
#include <QWheelEvent>

#include <algorithm>

using namespace quantspot;
using namespace quantspot::views;

namespace {

QString touched(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::WriteOnly) ? path : QString();
}

// As a press on Open or Save.
void choose(QFileDialog* dialog, const QString& path) {
  dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"))->setText(path);
  QMetaObject::invokeMethod(dialog, "accept");
}

QImage plain(const QColor& color) {
  QImage image(24, 24, QImage::Format_RGB888);
  image.fill(color);
  return image;
}

QFileDialog* dialogOf(const QWidget& widget) {
  for (auto* dialog : widget.findChildren<QFileDialog*>())
    if (dialog->isVisible()) return dialog;
  return nullptr;
}

// The whole window beside a fake engine, its history in memory.
struct Whole {
  Whole() : engine(ui::fakeEngine()), opened(store.open(QStringLiteral(":memory:"))), session(&engine, &store), window(&session) {
    window.resize(1200, 760), window.show();
  }

  study::StudyStore store;
  ui::EngineClient engine;
  bool opened;
  ui::CompareSession session;
  MainWindow window;
};

}  // namespace

class WindowsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }
  void cleanup() { rememberFolderIn({}); }

  void dialogsBeginWhereTheLastFileWas() {
    QTemporaryDir folder;
    QDir(folder.path()).mkdir(QStringLiteral("deep"));
    const QString settings = folder.filePath(QStringLiteral("settings.ini")), file = touched(folder.filePath(QStringLiteral("deep/list.csv")));
    rememberFolderIn(settings);
    QWidget window;
    QString got;
    choose(askForPath(&window, {QStringLiteral("Prompts"), PathKind::File}, [&](const QString& path) { got = path; }), file);
    QCOMPARE(got, file);
    const auto begins = [&](const PathQuestion& question) {
      QFileDialog* dialog = askForPath(&window, question, [](const QString&) {});
      const QString at = dialog->directory().absolutePath();
      delete dialog;
      return at;
    };
    const QString deep = QFileInfo(file).absolutePath();
    QCOMPARE(begins({QStringLiteral("LoRA"), PathKind::File}), deep);
    QCOMPARE(begins({QStringLiteral("Save the report"), PathKind::NewFile, QStringLiteral("report.pdf")}), deep);
    QCOMPARE(begins({QStringLiteral("Folder"), PathKind::Folder, folder.path()}), QDir(folder.path()).absolutePath());   // one that is named
    rememberFolderIn({});
    QVERIFY(begins({QStringLiteral("LoRA"), PathKind::File}) != deep);
    rememberFolderIn(settings);                                                    // the program's next start
    QCOMPARE(begins({QStringLiteral("LoRA"), PathKind::File}), deep);
    QDir(deep).removeRecursively();
    QVERIFY(QFileInfo(begins({QStringLiteral("LoRA"), PathKind::File})).isDir());  // the folder went meanwhile
  }

  void aDialogThatIsOpenComesToTheFront() {
    QWidget window;
    const PathQuestion question{QStringLiteral("Save answers"), PathKind::NewFile, QStringLiteral("answers.csv")};
    QFileDialog* first = askForPath(&window, question, [](const QString&) {});
    QCOMPARE(askForPath(&window, question, [](const QString&) {}), first);
    first->close();
    QVERIFY(askForPath(&window, question, [](const QString&) {}) != first);
  }

  void picturesAreCopiedAndSavedAfterTheRevealOnly() {
    QTemporaryDir folder;
    ImageGrid grid;
    grid.setImages({plain(Qt::red), plain(Qt::blue)});
    grid.setGuess(0, QStringLiteral("bf16"));
    QVERIFY(!grid.pictureMenu(0));                                                 // a blind screen
    grid.showTruths({{QStringLiteral("bf16"), {}}, {QStringLiteral("bnb-nf4?skip=proj_out"), {}}});
    QVERIFY(!grid.pictureMenu(2) && !grid.pictureMenu(-1));
    QMenu* menu = grid.pictureMenu(1);
    QVERIFY(menu && menu->actions().size() == 2);
    menu->actions()[0]->trigger();
    QCOMPARE(QApplication::clipboard()->image().convertToFormat(QImage::Format_RGB888), plain(Qt::blue));
    menu->actions()[1]->trigger();
    QFileDialog* dialog = dialogOf(grid);
    QVERIFY(dialog);
    QCOMPARE(QFileInfo(dialog->selectedFiles().value(0)).fileName(), QStringLiteral("bnb-nf4+skip+proj_out.png"));
    choose(dialog, folder.filePath(QStringLiteral("mine")));                       // the ending comes by itself
    QCOMPARE(QImage(folder.filePath(QStringLiteral("mine.png"))).convertToFormat(QImage::Format_RGB888), plain(Qt::blue));
    grid.setImages({plain(Qt::red), plain(Qt::blue)});                             // the next trial
    QVERIFY(!grid.pictureMenu(0));
  }

  void aPictureThatCannotBeSavedIsTold() {
    QTemporaryDir folder;
    ImageGrid grid;
    grid.setImages({plain(Qt::red)});
    grid.showTruths({{QStringLiteral("bf16"), {}}});
    grid.pictureMenu(0)->actions()[1]->trigger();
    const QString below = touched(folder.filePath(QStringLiteral("file"))) + QStringLiteral("/a.png");
    Q_EMIT dialogOf(grid)->filesSelected({below});
    const auto boxes = grid.findChildren<QMessageBox*>();
    QCOMPARE(boxes.size(), 1);
    QVERIFY(boxes.first()->text().startsWith(below));
  }

  void windowsOpenOverTheMiddleOfTheMainOne() {
    QWidget main;
    main.setGeometry(80, 60, 560, 420), main.show();
    QWidget beside(&main, Qt::Window);
    beside.resize(200, 100);
    showBeside(&beside);
    QVERIFY(beside.isVisible());
    QVERIFY((beside.geometry().center() - main.geometry().center()).manhattanLength() <= 40);   // frames differ
    const QPoint left(120, 130);
    beside.move(left), beside.close();
    showBeside(&beside);
    QCOMPARE(beside.pos(), left);                                                  // where the user left it
    QWidget large(&main, Qt::Window);
    large.resize(5000, 5000);
    showBeside(&large);
    QVERIFY(main.screen()->availableGeometry().contains(large.pos()));             // its title can be reached
  }

  void nothingStaysBesideAParticipant() {
    QWidget names, blind;
    names.show(), blind.show();
    hideOthers(&blind);
    QVERIFY(!names.isVisible() && blind.isVisible());
  }

  void tablesAreCopiedForSpreadsheets() {
    QStandardItemModel model(2, 2);
    model.setHorizontalHeaderLabels({QStringLiteral("Needs"), QStringLiteral("PSNR")});
    model.setVerticalHeaderLabels({QStringLiteral("bf16"), QStringLiteral("bnb-nf4")});
    for (int row = 0; row < 2; ++row)
      for (int column = 0; column < 2; ++column) model.setItem(row, column, new QStandardItem(QStringLiteral("%1.%2\nN = 4").arg(row).arg(column)));
    QTableView table;
    table.setModel(&model);
    makeCopyable(&table);
    table.show();
    const QString all = QStringLiteral("\tNeeds\tPSNR\nbf16\t0.0; N = 4\t0.1; N = 4\nbnb-nf4\t1.0; N = 4\t1.1; N = 4\n");
    table.actions()[1]->trigger();
    QCOMPARE(QApplication::clipboard()->text(), all);
    table.selectRow(1);
    table.actions()[0]->trigger();
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("\tNeeds\tPSNR\nbnb-nf4\t1.0; N = 4\t1.1; N = 4\n"));
    table.hideColumn(0), table.verticalHeader()->hide(), table.clearSelection();
    QApplication::clipboard()->clear();
    table.actions()[0]->trigger();                                                 // nothing selected: everything that is seen
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("PSNR\n0.1; N = 4\n1.1; N = 4\n"));
  }

  void namesCoverNoIntervalAndNoPoint() {
    std::vector<NamedPoint> points;
    std::vector<QRectF> intervals;
    for (int i = 0; i < 4; ++i) {
      const QPointF at(60 + 55 * i, 100 + 2 * i);                                  // nearly on one line, as precisions of one quality are
      points.push_back({at, 7, {64, 13}});
      intervals.push_back(QRectF(at - QPointF(2, 60), QSizeF(4, 120)));
    }
    const QRectF inside(0, 0, 300, 200);
    const auto places = placeNames(points, intervals, inside);
    QCOMPARE(places.size(), std::size_t{4});
    for (std::size_t i = 0; i < places.size(); ++i) {
      QVERIFY(inside.contains(places[i]));
      for (std::size_t k = 0; k < places.size(); ++k) QVERIFY2(k == i || !places[i].intersects(places[k]), qPrintable(QString::number(i)));
    }
    // Alone, a name stands right of its point; where an interval is, it does not.
    QVERIFY(placeNames({points[0]}, {}, inside)[0].left() > points[0].at.x());
    for (const QRectF& place : placeNames({points[0]}, {intervals[0], QRectF(70, 90, 60, 20)}, inside)) {
      QVERIFY(!place.intersects(intervals[0]));
      QVERIFY(!place.intersects(QRectF(70, 90, 60, 20)));
    }
  }

  void theWheelScrollsAPageOfCharts() {
    QualityChart quality;
    ScanChart scan;
    for (QWidget* chart : std::initializer_list<QWidget*>{&quality, &scan}) {
      chart->show();
      auto* plot = chart->findChild<QCustomPlot*>();
      const QPointF at(60, 60);
      QWheelEvent event(at, plot->mapToGlobal(at), {}, {0, -120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
      QApplication::sendEvent(plot, &event);
      QVERIFY(!event.isAccepted());                                                // it goes on to what is around, which scrolls,
      QVERIFY(!plot->testAttribute(Qt::WA_NoMousePropagation));                    // if it may: charts keep what they ignore by themselves
    }
  }

  void whatIsDroppedIsKnown() {
    QTemporaryDir folder;
    const auto written = [&](const QString& name, const QByteArray& bytes) {
      QFile file(folder.filePath(name));
      return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() ? file.fileName() : QString();
    };
    const auto safetensors = [](const QByteArray& header) {
      QByteArray bytes(8, '\0');
      bytes[0] = static_cast<char>(header.size());
      return bytes + header;
    };
    QDir(folder.path()).mkdir(QStringLiteral("pipeline"));
    QCOMPARE(whatIs(folder.filePath(QStringLiteral("pipeline"))), Dropped::Pictures);   // a folder of folders, or nothing that imports
    written(QStringLiteral("pipeline/model_index.json"), "{}");
    QCOMPARE(whatIs(folder.filePath(QStringLiteral("pipeline"))), Dropped::Model);
    QCOMPARE(whatIs(written(QStringLiteral("a.GGUF"), "x")), Dropped::Model);
    QCOMPARE(whatIs(written(QStringLiteral("a.safetensors"), safetensors(R"({"down_blocks.0.weight": {}})"))), Dropped::Model);
    QCOMPARE(whatIs(written(QStringLiteral("b.safetensors"), safetensors(R"({"unet.lora_A.weight": {}})"))), Dropped::Lora);
    QCOMPARE(whatIs(written(QStringLiteral("c.safetensors"), "short")), Dropped::Model);   // the engine says what is wrong with it
    QCOMPARE(whatIs(written(QStringLiteral("a.png"), "x")), Dropped::Picture);
    QCOMPARE(whatIs(written(QStringLiteral("a.csv"), "x")), Dropped::Pictures);
    QCOMPARE(whatIs(written(QStringLiteral("a.zip"), "x")), Dropped::Bundle);
    QCOMPARE(whatIs(written(QStringLiteral("a.json"), "x")), Dropped::Policy);
    QCOMPARE(whatIs(written(QStringLiteral("a.txt"), "x")), Dropped::Nothing);
    QCOMPARE(whatIs(folder.filePath(QStringLiteral("nowhere.png"))), Dropped::Nothing);
  }

  void aModelOfAnyFolderIsOpenedAndKept() {
    QTemporaryDir folder;
    QDir(folder.path()).mkpath(QStringLiteral("mine"));
    touched(folder.filePath(QStringLiteral("mine/model_index.json")));
    const QString mine = folder.filePath(QStringLiteral("mine")), database = folder.filePath(QStringLiteral("study.sqlite"));
    const auto lists = [&](ui::CompareSession& session) {
      return std::ranges::any_of(session.models(), [&](const auto& one) { return one.path == mine.toStdString() && one.name == "mine"; });
    };
    {
      study::StudyStore store;
      QVERIFY(store.open(database));
      ui::EngineClient engine(ui::fakeEngine());
      ui::CompareSession session(&engine, &store);
      MainWindow window(&session);
      window.resize(1200, 760), window.show();
      session.connectEngine();
      QVERIFY(QTest::qWaitFor([&] { return session.models().size() == 3; }));
      QSignalSpy failed(&session, &ui::CompareSession::failed);
      session.openModel(QStringLiteral("/somewhere/none"));
      QVERIFY(failed.wait());
      QVERIFY(failed[0][0].toString().contains(QStringLiteral("/somewhere/none: no model_index.json")));
      QVERIFY(session.model() == QStringLiteral("default") && session.models().size() == 3);
      QMimeData data;
      data.setUrls({QUrl::fromLocalFile(mine)});
      QDragEnterEvent enter(QPoint(600, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
      QApplication::sendEvent(&window, &enter);
      QVERIFY(enter.isAccepted());
      QDropEvent drop(QPointF(600, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
      window.showPage(MainWindow::History);
      QApplication::sendEvent(&window, &drop);
      QVERIFY(QTest::qWaitFor([&] { return session.model() == mine; }));
      QVERIFY(lists(session) && window.comparePage()->isVisible());
      session.openModel(mine);                                                     // again: listed once
      QTest::qWait(100);
      QCOMPARE(session.models().size(), std::size_t{4});
    }
    study::StudyStore store;
    QVERIFY(store.open(database));
    ui::EngineClient engine(ui::fakeEngine());
    ui::CompareSession session(&engine, &store);
    session.connectEngine();
    QVERIFY(QTest::qWaitFor([&] { return lists(session); }));
    QDir(mine).removeRecursively();
    session.refreshModels();
    QVERIFY(QTest::qWaitFor([&] { return !lists(session); }));                     // it is gone, and nothing asks for it
  }

  void whatSeveralFailedOfIsToldOnce() {
    ui::PrecisionListModel model;
    PrecisionPanel panel(&model);
    for (const char* name : {"bf16", "bnb-nf4"}) panel.addFailure(QString::fromLatin1(name), QStringLiteral("lora.safetensors is truncated"));
    panel.addFailure(QStringLiteral("bnb-int8"), QStringLiteral("no memory"));
    QStringList said;
    for (const auto* label : panel.findChildren<QLabel*>()) said << label->text();
    QVERIFY(said.contains(QStringLiteral("bf16, bnb-nf4 failed: lora.safetensors is truncated\nbnb-int8 failed: no memory")));
    panel.clearFailures();
    panel.addFailure(QStringLiteral("fp16"), QStringLiteral("no memory"));
    said.clear();
    for (const auto* label : panel.findChildren<QLabel*>()) said << label->text();
    QVERIFY(said.contains(QStringLiteral("fp16 failed: no memory")));
  }

  void keysGoAsTheyCame() {
    Whole whole;
    QVERIFY(whole.opened);
    whole.window.programMenu()->showKeys();
    QLabel* keys = whole.window.programMenu()->keys();
    QVERIFY(QTest::qWaitForWindowActive(keys));
    QTest::keyClick(keys, Qt::Key_Escape);
    QVERIFY(!keys->isVisible());
  }

  void noPicturesWithNamesStayBesideABlindScreen() {
    Whole whole;
    QVERIFY(whole.opened);
    whole.session.connectEngine();
    QPushButton* generate = whole.window.comparePage()->precisionPanel()->generateButton();
    QVERIFY(QTest::qWaitFor([&] { return generate->isEnabled(); }));
    whole.window.evaluatePage()->pictures()->show();
    generate->click();
    QVERIFY(QTest::qWaitFor([&] { return whole.session.trial()->state() == ui::TrialController::State::Open; }));
    QVERIFY(!whole.window.evaluatePage()->pictures()->isVisible());
  }

  // Pictures that come while another page is looked at wait there: nobody is torn away, and the time until the answer begins when they are seen.
  void picturesWaitWhileAnotherPageIsLookedAt() {
    Whole whole;
    QVERIFY(whole.opened);
    whole.session.connectEngine();
    QPushButton* generate = whole.window.comparePage()->precisionPanel()->generateButton();
    QVERIFY(QTest::qWaitFor([&] { return generate->isEnabled(); }));
    generate->click();
    whole.window.showPage(MainWindow::Decide);
    ui::TrialController* trial = whole.session.trial();
    QVERIFY(QTest::qWaitFor([&] { return trial->state() == ui::TrialController::State::Open; }));
    QVERIFY(whole.window.decidePage()->isVisible());
    const auto tabs = whole.window.findChildren<QToolButton*>();
    const auto tab = std::ranges::find_if(tabs, [](QToolButton* one) { return one->text().startsWith(QStringLiteral("Compare")); });
    QVERIFY(tab != tabs.end());
    QCOMPARE((*tab)->accessibleName(), QStringLiteral("Compare: pictures wait to be judged"));
    QTest::qWait(50);
    QVERIFY(!trial->areImagesShown());
    (*tab)->click();
    QVERIFY(whole.window.comparePage()->isVisible());
    QCOMPARE((*tab)->text(), QStringLiteral("Compare"));
    QVERIFY(QTest::qWaitFor([&] { return trial->areImagesShown(); }));
  }
};

QTEST_MAIN(WindowsTest)
#include "windows_test.moc"
