// The Evaluate page on the fake engine, as a person uses it.
#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/views/evaluate_charts.h"
#include "ui/views/evaluate_figures.h"
#include "ui/views/evaluate_page.h"
#include "ui/views/evaluate_pictures.h"
#include "ui/views/evaluate_setup.h"
#include "ui/views/main_window.h"
#include "ui/views/measure_dialog.h"
#include "ui/views/plot.h"
#include "ui/views/theme.h"
#include "ui/views/threshold_table.h"
#include "ui/views/weights_dialog.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using namespace quantspot::views;
using State = ui::EvaluationRun::State;

namespace {

struct Bench {
  explicit Bench(const QString& folder, QStringList flags = {})
      : engine(ui::fakeEngine(std::move(flags))), session((store.open(QStringLiteral(":memory:")), &engine), &store), window(&session) {
    page().setSettings(folder + QStringLiteral("/settings.ini"));
    session.connectEngine();
    window.resize(1280, 800);
    window.show();
    window.showPage(MainWindow::Evaluate);
  }
  EvaluatePage& page() { return *window.evaluatePage(); }
  bool ready() { return QTest::qWaitFor([this] { return page().setup()->precisionList()->count() == 4; }); }
  // Four prompts in two categories, two seeds.
  bool setUp(const QString& folder) {
    QFile file(folder + QStringLiteral("/four.tsv"));
    if (!file.open(QIODevice::WriteOnly)) return false;
    file.write("Prompt\tCategory\na\tX\nb\tX\nc\tY\nd\tY\n");
    file.close();
    page().setup()->seedsEdit()->setText(QStringLiteral("0..1"));
    return page().setup()->loadPrompts(file.fileName());
  }
  bool reaches(State state) { return QTest::qWaitFor([&] { return page().run()->state() == state; }, 20000); }
  bool reports() {
    return QTest::qWaitFor([&] { return page().run()->report().is_object() && page().run()->report()["summary"][0]["missing"] == 0; }, 20000);
  }
  void press() { page().setup()->mainButton()->click(); }
  // Everything from the form to the finished report.
  bool draws(const QString& folder) {
    if (!ready() || !setUp(folder)) return false;
    press();
    return reaches(State::Finished) && reports();
  }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

}  // namespace

class EvaluatePageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void oneButtonStartsPausesAndGoesOn() {
    QTemporaryDir folder;
    Bench bench(folder.path(), {"--slow=10"});
    QVERIFY(bench.ready() && bench.setUp(folder.path()));
    QCOMPARE(bench.page().setup()->mainButton()->text(), QStringLiteral("Start"));
    bench.press();
    QVERIFY(QTest::qWaitFor([&] { return bench.page().run()->counts().finished >= 3; }));
    QCOMPARE(bench.page().setup()->mainButton()->text(), QStringLiteral("Pause"));
    QVERIFY(!bench.page().setup()->seedsEdit()->isEnabled());
    bench.press();
    QVERIFY(bench.reaches(State::Paused));
    const auto drawn = bench.page().run()->counts().finished;
    QVERIFY(drawn < 32);
    QCOMPARE(bench.page().setup()->mainButton()->text(), QStringLiteral("Resume"));
    bench.press();
    QVERIFY(bench.reaches(State::Finished));
    QCOMPARE(bench.page().run()->counts().finished, std::size_t{32});
    QCOMPARE(bench.page().matrix()->model()->rowCount(), 8);
    // A changed form is a new evaluation, in which nothing of the old is drawn again.
    bench.page().setup()->seedsEdit()->clear();
    QTest::keyClicks(bench.page().setup()->seedsEdit(), QStringLiteral("1..2"));
    QCOMPARE(bench.page().setup()->mainButton()->text(), QStringLiteral("Start"));
    bench.press();
    QVERIFY(QTest::qWaitFor([&] { return bench.page().run()->counts().finished == 32 && bench.page().run()->state() == State::Finished; }, 20000));
    QCOMPARE(bench.page().run()->counts().before, std::size_t{16});
  }

  void whatWasOpenIsThereAgain() {
    QTemporaryDir folder;
    {
      Bench today(folder.path());
      QVERIFY(today.ready() && today.setUp(folder.path()));
      today.page().setup()->estimateButton()->click();
      QVERIFY(today.reaches(State::Paused));
      QVERIFY(QTest::qWaitFor([&] { return today.page().run()->counts().finished == 4; }));
    }
    Bench tomorrow(folder.path());
    QVERIFY(tomorrow.reaches(State::Paused));
    QCOMPARE(tomorrow.page().run()->counts().finished, std::size_t{4});
    QCOMPARE(tomorrow.page().setup()->seedsEdit()->text(), QStringLiteral("0..1"));
    QCOMPARE(tomorrow.page().setup()->mainButton()->text(), QStringLiteral("Resume"));
  }

  void aWrongFormIsTold_data() {
    QTest::addColumn<QString>("seeds");
    QTest::addColumn<int>("ticked");
    QTest::addColumn<QString>("word");
    QTest::newRow("seeds") << "9..0" << 4 << "9..0";
    QTest::newRow("no seed") << "" << 4 << "Seeds";
    QTest::newRow("one precision") << "0" << 1 << "two precisions";
  }
  void aWrongFormIsTold() {
    QFETCH(QString, seeds);
    QFETCH(int, ticked);
    QFETCH(QString, word);
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.ready() && bench.setUp(folder.path()));
    bench.page().setup()->seedsEdit()->setText(seeds);
    for (int i = ticked; i < 4; ++i) bench.page().setup()->precisionList()->item(i)->setCheckState(Qt::Unchecked);
    bench.press();
    const auto labels = bench.page().setup()->findChildren<QLabel*>();
    QVERIFY(std::any_of(labels.begin(), labels.end(),
        [&](QLabel* label) { return label->isVisible() && label->property("role") == "problem" && label->text().contains(word); }));
    QCOMPARE(bench.page().run()->state(), State::Empty);
    QVERIFY(!bench.page().setup()->loadPrompts(QStringLiteral("/no/such/file")));
  }

  void thresholdsAreEditedInTheHeaderRow() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    ThresholdTable& table = *bench.page().thresholds();
    QCOMPARE(table.horizontalHeaderItem(1)->text(), QStringLiteral("CLIP-tiny score change"));
    QCOMPARE(table.thresholds()[1].label, std::string("CLIP score change"));   // what is saved names no stand-in
    QVERIFY(QTest::qWaitFor([&] { return table.rowCount() == 4; }));
    // The fake engine scores every picture alike: a change of 0, above −5.
    QCOMPARE(table.item(1, 1)->text(), QStringLiteral("✓ 0.0\u2009%"));
    QCOMPARE(table.item(1, 0)->text(), QStringLiteral("no data"));
    auto* limit = table.cellWidget(0, 1)->findChild<QDoubleSpinBox*>();
    QCOMPARE(limit->value(), -5.0);
    QCOMPARE(limit->text(), QStringLiteral("> −5 %"));
    for (const char* typed : {"> −7.5 %", "> -7.5 %"}) {      // with the minus sign that it shows, and with the key's
      limit->setValue(0);
      limit->findChild<QLineEdit*>()->setText(QString::fromUtf8(typed));
      QVERIFY(limit->hasAcceptableInput());
      limit->interpretText();
      QCOMPARE(limit->value(), -7.5);
      QCOMPARE(limit->text(), QStringLiteral("> −7.5 %"));
    }
    limit->setValue(2);
    QVERIFY(QTest::qWaitFor([&] { return table.item(1, 1)->text().startsWith(QStringLiteral("✗")); }));
    QCOMPARE(table.item(1, 1)->text(), QStringLiteral("✗ 0.0\u2009%, by 2.0"));
    table.setCurrentCell(1, 1);
    QVERIFY2(bench.page().explanation().contains(QStringLiteral("is not above 2 %: fails by 2.0 points.")), qPrintable(bench.page().explanation()));
    QCOMPARE(limit->value(), 2.0);       // the editor stays while the table is filled anew
  }

  // What was rated on the Compare page is data of the human-rating threshold as soon as it is there, and says so.
  void ratingsOfTheComparePageAreTaken() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    ThresholdTable& table = *bench.page().thresholds();
    QVERIFY(QTest::qWaitFor([&] { return table.rowCount() == 4 && table.item(1, 2)->text() == QStringLiteral("no data"); }));
    const QString tested = bench.page().run()->request().precisions[1];
    for (const QString& model : {bench.page().run()->request().model, QStringLiteral("another")}) {
      study::Comparison comparison{.id = 0, .created = {}, .model = model, .recipe = {{"prompt", "a fox"}}, .samples = {}};
      comparison.samples.push_back({.id = 0, .precision = tested, .repeat = 0, .png = "PNG", .report = {}, .scores = {}, .failure = {}});
      QVERIFY(bench.store.addComparison(comparison));
      study::AnsweredTrial trial;
      trial.comparison = comparison.id, trial.task = study::Task::Rate;
      trial.slot_samples = {comparison.samples[0].id}, trial.choices = QStringList{model == "another" ? "1" : "5"};
      QVERIFY(bench.store.addTrial(trial));
    }
    QVERIFY(QTest::qWaitFor([&] { return table.item(1, 2)->text().startsWith(QStringLiteral("✓")); }));
    table.setCurrentCell(1, 2);
    QCOMPARE(bench.page().explanation(), QStringLiteral("Human rating (yours, Compare page) 5.00 (N = 1) is above 4.00: passes. Without an interval it is not known how sure that is."));
    QCOMPARE(table.item(2, 2)->text(), QStringLiteral("no data"));
  }

  void anyPointOrCellOpensItsPictures() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    QTableView& matrix = *bench.page().matrix();
    QTest::mouseClick(matrix.viewport(), Qt::LeftButton, {}, matrix.visualRect(matrix.model()->index(1, 2)).center());
    EvaluatePictures& pictures = *bench.page().pictures();
    QVERIFY(pictures.isVisible());
    QVERIFY(pictures.row() == 1 && pictures.shownPictures() == 4);
    QTest::keyClick(&pictures, Qt::Key_Down);
    QCOMPARE(pictures.row(), 2);
    Q_EMIT bench.page().charts()->comparisonChosen(5);
    QCOMPARE(pictures.row(), 5);

    EvaluateCharts& charts = *bench.page().charts();
    charts.figure()->setCurrentIndex(charts.figure()->findData(QStringLiteral("psnr")));
    Q_EMIT charts.figure()->activated(charts.figure()->currentIndex());
    QCustomPlot* plot = charts.plot(EvaluateCharts::Prompts);
    plot->resize(400, 300);
    plot->replot();
    const QPoint third(static_cast<int>(plot->xAxis->coordToPixel(3)), static_cast<int>(plot->yAxis->coordToPixel(31.5)));
    QTest::mouseClick(plot, Qt::LeftButton, {}, third);
    QCOMPARE(pictures.row(), 2);         // the third comparison
  }

  void chartsHoldTheReportsNumbers() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    EvaluateCharts& charts = *bench.page().charts();
    QVERIFY(QTest::qWaitFor([&] { return charts.figure()->count() == 6; }));
    QCustomPlot* bars = charts.plot(EvaluateCharts::Categories);
    int found = 0;
    for (int i = 0; i < bars->plottableCount(); ++i)
      if (auto* bar = qobject_cast<QCPBars*>(bars->plottable(i))) {
        QCOMPARE(bar->data()->at(0)->value, 0.25);
        ++found;
      }
    QCOMPARE(found, 2 * 4);
    QCOMPARE(charts.plot(EvaluateCharts::Growth)->plottableCount(), 0);
    QCPAxis* steps = charts.plot(EvaluateCharts::Steps)->xAxis;
    steps->setRange(0.9, 2.1);
    charts.plot(EvaluateCharts::Steps)->replot();
    for (const QString& tick : steps->tickVectorLabels()) QVERIFY2(!tick.contains(u'.'), qPrintable(tick));   // no half a step
  }

  void errorGrowthIsAskedForByACheckBox() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.ready() && bench.setUp(folder.path()));
    bench.page().setup()->measure()->growth()->setChecked(true);
    bench.press();
    QVERIFY(bench.reaches(State::Finished) && bench.reports());
    EvaluateCharts& charts = *bench.page().charts();
    QVERIFY(QTest::qWaitFor([&] { return charts.plot(EvaluateCharts::Growth)->plottableCount() > 0; }));
    int lines = 0, intervals = 0;
    for (int i = 0; i < charts.plot(EvaluateCharts::Growth)->graphCount(); ++i) {
      const auto data = charts.plot(EvaluateCharts::Growth)->graph(i)->data();
      lines += data->size() == 4 ? 1 : 0, intervals += data->size() == 2 ? 1 : 0;
    }
    QCOMPARE(lines, 3);                  // three precisions against the baseline, four steps
    QCOMPARE(intervals, 3 * 4);
  }

  void figuresHaveIntervalAndNumber() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    ui::FigureModel& model = *bench.page().figures()->model();
    QVERIFY(QTest::qWaitFor([&] { return model.columnOf("fd-clip-tiny") >= 0; }));
    QCOMPARE(model.rowCount(), 4);
    QCOMPARE(model.index(1, model.columnOf("fd-clip-tiny")).data().toString(), QStringLiteral("0.0500\n0.0400 to 0.0600 · N = 8"));
    QCOMPARE(model.index(0, model.columnOf("fd-clip-tiny")).data().toString(), QStringLiteral("–"));
    QCOMPARE(model.headerData(model.columnOf("clip"), Qt::Horizontal).toString(), QStringLiteral("CLIP-tiny score"));
    QVERIFY(model.columnOf("fid") < 0);  // it is not called so
    QVERIFY(model.headerData(0, Qt::Vertical).toString().endsWith(QStringLiteral("(baseline)")));
  }

  void fidOfFewPicturesIsGreyed() {
    ui::FigureModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    nlohmann::json estimate = {{"value", 12.5}, {"n", 64}, {"ci95", nullptr}, {"caution", "64 pictures: below 2048"}};
    model.setReport({{"summary", {{{"precision", "bf16"}, {"figures", {{"fid", estimate},
                                                                       {"kid", {{"value", 0.002}, {"n", 64}, {"ci95", {0.001, 0.003}}}}}}}}}});
    QCOMPARE(model.columnCount(), 2);
    const QModelIndex fid = model.index(0, model.columnOf("fid"));
    QCOMPARE(fid.data(ui::FigureModel::CautionRole).toString(), QStringLiteral("64 pictures: below 2048"));
    QVERIFY(fid.data(Qt::ToolTipRole).toString().contains(QStringLiteral("too few for an interval")));
    QVERIFY(!model.index(0, model.columnOf("kid")).data(ui::FigureModel::CautionRole).isValid());
    model.setReport(nullptr);
    QCOMPARE(model.rowCount(), 0);
  }

  void whatIsMeasuredIsChosen() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.ready() && bench.setUp(folder.path()));
    MeasureDialog& measure = *bench.page().setup()->measure();
    QVERIFY(QTest::qWaitFor([&] { return measure.list()->count() == 7; }));
    QCOMPARE(measure.summary(), QStringLiteral("CLIP-tiny, PSNR and 4 more"));
    const auto row = [&](const char* id) {
      for (int i = 0; i < measure.list()->count(); ++i)
        if (measure.list()->item(i)->data(Qt::UserRole) == QLatin1String(id)) return measure.list()->item(i);
      return static_cast<QListWidgetItem*>(nullptr);
    };
    QVERIFY(!(row("lpips")->flags() & Qt::ItemIsEnabled) && row("lpips")->text().contains(QStringLiteral("weights are not here")));
    QVERIFY(row("fid")->text().contains(QStringLiteral("stands in for FID")));
    for (const char* id : {"clip", "ssim", "gmsd", "fid"}) row(id)->setCheckState(Qt::Unchecked);
    QCOMPARE(bench.page().setup()->request().metrics, (QStringList{"psnr", "kid"}));
    // Nothing is no choice: the default comes back.
    for (const char* id : {"psnr", "kid"}) row(id)->setCheckState(Qt::Unchecked);
    QVERIFY(QTest::qWaitFor([&] { return row("clip")->checkState() == Qt::Checked; }));
    QVERIFY(bench.page().setup()->request().metrics.isEmpty());
    measure.real()->setText(QStringLiteral(" /no/such/folder "));
    bench.press();
    QVERIFY(QTest::qWaitFor([&] {
      const auto labels = bench.page().setup()->findChildren<QLabel*>();
      return std::any_of(labels.begin(), labels.end(), [](QLabel* label) { return label->isVisible() &&
                                                                          label->text().contains(QStringLiteral("/no/such/folder")); });
    }));
  }

  // Where the small CLIP stands in, the page says so and leads to the real weights; they come when they are asked for.
  void theNoticeLeadsToTheWeights() {
    QTemporaryDir folder;
    Bench bench(folder.path(), {"--slow=200"});
    QVERIFY(bench.ready());
    EvaluateFigures& figures = *bench.page().figures();
    QVERIFY(QTest::qWaitFor([&] { return figures.notice()->text().contains(QStringLiteral("CLIP-tiny for CLIP score")); }));
    QVERIFY(figures.notice()->text().contains(QStringLiteral("Not measured without their weights: LPIPS (alex)")));
    Q_EMIT figures.notice()->linkActivated(QStringLiteral("weights"));
    WeightsDialog* dialog = bench.page().weights();
    QVERIFY(dialog && dialog->isVisible());
    QVERIFY(QTest::qWaitFor([&] { return dialog->table()->rowCount() == 3; }));
    QVERIFY(dialog->said().contains(QStringLiteral("Nothing is fetched before you press Download")));
    QVERIFY(!dialog->downloadButton(2) && dialog->table()->item(2, 4)->text() == QStringLiteral("here"));
    QCOMPARE(dialog->table()->item(1, 3)->text(), QStringLiteral("BSD-2-Clause"));
    dialog->downloadButton(1)->click();
    QVERIFY(dialog->cancelButton()->isVisible() && !dialog->downloadButton(0)->isEnabled());
    auto* progress = dialog->findChild<QProgressBar*>();
    QVERIFY(QTest::qWaitFor([&] { return progress->value() > 0; }, 20000));
    dialog->cancelButton()->click();
    QVERIFY(QTest::qWaitFor([&] { return dialog->said().startsWith(QStringLiteral("Cancelled")); }));
    QVERIFY(dialog->downloadButton(1)->isEnabled());
    dialog->downloadButton(1)->click();
    QVERIFY(QTest::qWaitFor([&] { return dialog->said().startsWith(QStringLiteral("lpips-alex is here")) && !dialog->downloadButton(1); }));
    QTest::keyClick(dialog, Qt::Key_Escape);
    QVERIFY(!dialog->isVisible());
  }

  void reportsAreSaved() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.ready() && bench.setUp(folder.path()));
    bench.press();
    QVERIFY(bench.reaches(State::Finished));
    for (const auto& [kind, name] : {std::pair{"html", "page.html"}, std::pair{"pdf", "page.pdf"}})
      QVERIFY(bench.page().exportTo(kind, folder.filePath(name)) && QFile::exists(folder.filePath(name)));
    QVERIFY(bench.page().exportTo("csv", folder.path()) && QFile::exists(folder.filePath("summary.csv")));
    QVERIFY(!bench.page().exportTo("pdf", "/proc/nowhere/x.pdf"));
  }

  void theThemeReachesEverything() {
    QTemporaryDir folder;
    Bench bench(folder.path());
    QVERIFY(bench.draws(folder.path()));
    const auto* table = bench.page().findChild<ThresholdTable*>();
    QVERIFY(table && QTest::qWaitFor([&] { return table->rowCount() > 1 && table->item(1, 0) && !table->item(1, 0)->text().isEmpty(); }));
    applyTheme(*qApp, true);
    for (int column = 0; column < table->columnCount(); ++column) {
      const QString text = table->item(1, column)->text();
      const QColor wanted = text.startsWith(u'✓') ? theme().right : text.startsWith(u'✗') ? theme().wrong : theme().quiet;
      QCOMPARE(table->item(1, column)->foreground().color(), wanted);
    }
    QVERIFY(QTest::qWaitFor([&] { return bench.page().charts()->plot(EvaluateCharts::Quality)->xAxis->labelColor() == theme().quiet; }));
    applyTheme(*qApp, false);
  }
};

QTEST_MAIN(EvaluatePageTest)
#include "evaluate_page_test.moc"
