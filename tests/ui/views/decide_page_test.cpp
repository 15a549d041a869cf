// The Decide page against an engine that tells known sizes.
#include "tests/decision/fixtures.h"
#include "tests/ui/fake_engine.h"
#include "ui/models/comparison.h"
#include "ui/models/decision_model.h"
#include "ui/views/decide_page.h"
#include "ui/views/decide_limits.h"
#include "ui/views/decision_path.h"
#include "ui/views/export_dialog.h"
#include "ui/views/limit_slider.h"
#include "ui/views/theme.h"

#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QGuiApplication>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSlider>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using namespace quantspot::views;

namespace {

struct Fixture {
  ui::EngineClient engine;
  ui::DecisionModel model{&engine};
  DecidePage page{&model};

  explicit Fixture(bool show = true, const QStringList& flags = {}) : engine(ui::fakeEngine(flags)) {
    QObject::connect(&engine, &ui::EngineClient::initialized, &model, [this](const protocol::InitializeResult& result) {
      model.setEngineInfo(result.engine);
      model.setPrecisions(result.precisions);
    });
    model.setModel(QStringLiteral("flux"), QStringLiteral("flux"));
    model.setRecipe(ui::foxRecipe());
    page.resize(1280, 760);
    if (show) page.show();
    engine.start();
  }
  bool decided() { return QTest::qWaitFor([this] { return model.decision().has_value() && !model.isBusy(); }, 10000); }
  QString cell(int row, int column) const { return model.index(row, column).data().toString(); }
  QPushButton* button(const QString& text) {
    for (QPushButton* one : page.findChildren<QPushButton*>())
      if (one->text() == text) return one;
    return nullptr;
  }
};

QString written(const QTemporaryDir& folder, const QString& name, const nlohmann::json& json) {
  QFile file(folder.filePath(name));
  if (!file.open(QIODevice::WriteOnly)) return {};
  file.write(QByteArray::fromStdString(json.dump()));
  return file.fileName();
}

}  // namespace

class DecidePageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void theSentenceIsOnTop() {
    Fixture f;
    QVERIFY(f.page.sentence().contains("not told yet") || f.page.sentence().contains("Counting"));
    QVERIFY(f.decided());
    QVERIFY2(f.page.sentence().startsWith("Use `bf16`: 35.0 GiB of 64.0 GiB on this machine, all parts together"), qPrintable(f.page.sentence()));
    QCOMPARE(f.model.rowCount(), 4);
    QCOMPARE(f.cell(0, ui::DecisionModel::Precision), QString("bf16"));
    QVERIFY(f.page.path()->lines().last() == "Use bf16");
    QVERIFY(f.page.notes().contains("There is no evidence"));
  }

  void aSliderChangesTheAnswer() {
    Fixture f;
    QAbstractItemModelTester tester(&f.model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(f.decided());
    f.page.limits()->memory()->slider()->setValue(13);                     // 16 GiB
    QCOMPARE(f.page.limits()->memory()->value(), std::optional(16.0));
    QCOMPARE(f.model.chosen(), QString("fp8-layerwise"));        // 12 + 1 + 0.5 in turn
    QCOMPARE(f.cell(0, ui::DecisionModel::Placement), QString("its parts in turn"));
    QVERIFY2(f.page.notes().contains("with 9.5 GiB more, bf16"), qPrintable(f.page.notes()));
    f.page.limits()->memory()->slider()->setValue(11);                     // 10 GiB
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
    f.page.limits()->memory()->slider()->setValue(7);                      // 3 GiB: only weights that travel
    QCOMPARE(f.cell(0, ui::DecisionModel::Placement), QString("block by block"));
    f.page.limits()->memory()->slider()->setValue(f.page.limits()->memory()->slider()->maximum());
    QCOMPARE(f.model.chosen(), QString("bf16"));
  }

  void aGpuOfTheTableCanBePicked() {
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.page.limits()->hardware()->itemText(0).startsWith("Fake CPU, 64.0 GiB free"));
    const int index = f.page.limits()->hardware()->findText("GeForce RTX 4070, 12.0 GiB");
    QVERIFY(index > 0);
    f.page.limits()->hardware()->setCurrentIndex(index);
    Q_EMIT f.page.limits()->hardware()->activated(index);
    QVERIFY(QTest::qWaitFor([&] { return f.decided() && f.page.sentence().contains("GeForce RTX 4070"); }, 10000));
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
    QVERIFY(f.page.notes().contains("RTX 4070 is not here"));
  }

  void evidenceIsReadAndNamed() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.model.addEvidence(written(folder, "report.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2}))));
    QCOMPARE(f.page.sources().size(), 1);
    QVERIFY2(f.page.sources().first()->text().contains("N = 16"), qPrintable(f.page.sources().first()->text()));
    QVERIFY(f.page.sources().first()->toolTip().contains("16 pictures of 2 precisions"));
    const QString figure = f.model.figures("bnb-nf4").value(1);
    QVERIFY2(figure.startsWith("CLIP score −") && figure.contains("N = 8, report.json of ") && figure.contains(QDate::currentDate().toString(Qt::ISODate)),
             qPrintable(figure));
    f.page.limits()->time()->slider()->setValue(3);                        // 3 s
    QVERIFY(f.model.chosen() != "bf16");
    f.page.limits()->time()->slider()->setValue(f.page.limits()->time()->slider()->maximum());
    QVERIFY(f.model.addEvidence(written(folder, "analysis.json", decision::test::study({decision::test::detection("fp8-layerwise", "noticeable", 0.3, 0.2, 0.4),
                                                                                       decision::test::detection("bnb-nf4", "not-noticeable", 0.0, 0.0, 0.06)}))));
    f.page.limits()->memory()->slider()->setValue(13);
    f.page.limits()->visibility()->slider()->setValue(3);                  // 10 %
    QCOMPARE(f.model.chosen(), QString("bnb-int8"));              // nobody asked: it may be
    QVERIFY(!f.model.addEvidence(written(folder, "other.json", {{"x", 1}})));
    QVERIFY2(f.model.problem().contains("other.json"), qPrintable(f.model.problem()));
    QVERIFY(f.page.notes().contains("other.json"));
  }

  void anotherModelStartsAnew() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.model.addEvidence(written(folder, "report.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2}))));
    f.model.setModel(QStringLiteral("other"), QStringLiteral("sd"));
    QVERIFY(f.model.sources().isEmpty());
    f.model.setModel(QStringLiteral("flux"), QStringLiteral("flux"));
    QCOMPARE(f.model.sources().size(), 1);                        // it was about this one
  }

  void picturesOfHereAreEvidenceOnce() {
    Fixture f;
    QVERIFY(f.decided());
    study::Comparison drawn{.id = 1, .created = QDateTime::currentDateTimeUtc(), .model = QStringLiteral("flux"), .recipe = ui::toQt(ui::foxRecipe()), .samples = {}};
    for (const char* precision : {"bf16", "bnb-nf4"})
      drawn.samples.push_back({.precision = QLatin1String(precision),
                               .report = {{"seconds", QJsonObject{{"total", 2.0}}}, {"engine", QJsonObject{{"device", "cpu"}}}}});
    f.model.evidence()->learn({drawn});
    drawn.samples[1].scores.psnr = 30;
    f.model.evidence()->learn({drawn});                           // the same, scored
    QCOMPARE(f.model.sources().size(), 1);
    QVERIFY2(f.model.sources().first().contains("2 pictures of 2 precisions"), qPrintable(f.model.sources().first()));
    QVERIFY(f.page.sentence().contains("2.0 s per picture on cpu (N = 1)"));
    QVERIFY(f.model.figures("bnb-nf4").contains("PSNR 30.0 dB (N = 1, the history, " + QDate::currentDate().toString(Qt::ISODate) + ")"));
    for (study::Sample& sample : drawn.samples) sample.scores.clip = 25, sample.scores.clip_label = QStringLiteral("CLIP-tiny");
    f.model.evidence()->learn({drawn});
    QVERIFY(f.model.figures("bnb-nf4").join('\n').contains("CLIP-tiny score ") && f.model.clipLabel() == "CLIP-tiny score");
    // Real weights came: what they score is not averaged with what the small ones had.
    study::Comparison later = drawn;
    later.created = drawn.created.addSecs(2);
    later.samples[0].scores.clip = 20, later.samples[1].scores.clip = 10;
    for (study::Sample& sample : later.samples) sample.scores.clip_label = QStringLiteral("CLIP");
    f.model.evidence()->learn({later});
    QVERIFY2(f.model.figures("bnb-nf4").join('\n').contains("CLIP score −50.0 % (N = 1,"), qPrintable(f.model.figures("bnb-nf4").join('\n')));
    drawn.model = QStringLiteral("another");
    drawn.created = drawn.created.addSecs(1);
    f.model.evidence()->learn({drawn});
    QCOMPARE(f.model.sources().size(), 1);
  }

  void aSourceCanBeLeftOut() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.model.addEvidence(written(folder, "report.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2}))));
    f.page.sources().first()->click();
    QVERIFY(QTest::qWaitFor([&] { return f.model.figures("bnb-nf4").isEmpty(); }, 2000));
    QVERIFY(!f.page.sources().first()->isChecked());              // still listed
    f.page.sources().first()->click();
    QVERIFY(QTest::qWaitFor([&] { return !f.model.figures("bnb-nf4").isEmpty(); }, 2000));
  }

  // A finished evaluation beside the settings is found; one of another model is not.
  void runsOfCompareAreFound() {
    const QTemporaryDir folder;
    nlohmann::json report = decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2});
    for (const char* model : {"flux", "other"}) {
      QDir(folder.path()).mkpath(model);
      report["model"] = model;
      written(folder, QString(model) + "/report.json", report);
    }
    Fixture f(false);
    f.page.setSettings(folder.filePath("settings.ini"));
    f.page.show();
    QVERIFY(QTest::qWaitFor([&] { return f.page.sources().size() == 1; }, 5000));
    QVERIFY(f.page.sources().first()->text().startsWith("report.json of flux"));
  }

  void verdictsOfStudiesAreLearned() {
    Fixture f;
    QVERIFY(f.decided());
    nlohmann::json analysis = decision::test::study({decision::test::detection("fp8-layerwise", "noticeable", 0.3, 0.2, 0.4),
                                                     decision::test::detection("bnb-nf4", "not-noticeable", 0.0, 0.0, 0.06)});
    analysis["study"] = "abc";
    f.model.evidence()->addStudy(ui::toQt(analysis));
    f.page.limits()->visibility()->setValue(0.1);
    f.page.limits()->memory()->setValue(16);
    QVERIFY(f.model.figures("bnb-nf4").first().startsWith("not-noticeable: noticed by 0 % (N = 120 answers of 12 people, “study 3”, "));
    for (int row = 0; row < f.model.rowCount(); ++row)
      if (f.cell(row, ui::DecisionModel::Precision) == "fp8-layerwise") QVERIFY(f.cell(row, ui::DecisionModel::Verdict).startsWith("noticed: 30 %"));
    f.model.evidence()->addStudy({{"title", "no verdicts in it"}});
    QCOMPARE(f.page.sources().size(), 1);
  }

  // The limit, the column and each figure name the score that was measured.
  void theSmallClipIsNamed() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    nlohmann::json report = decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2});
    report["labels"] = {{"clip", "CLIP-tiny score"}};
    QVERIFY(f.model.addEvidence(written(folder, "report.json", report)));
    QCOMPARE(f.page.limits()->clip()->slider()->accessibleName(), QString("CLIP-tiny score may fall by"));
    QCOMPARE(f.model.headerData(ui::DecisionModel::Clip, Qt::Horizontal, Qt::DisplayRole).toString(), QString("CLIP-tiny score"));
    const QStringList figures = f.model.figures("bnb-nf4");
    QVERIFY2(figures.value(1).startsWith("CLIP-tiny score −"), qPrintable(figures.join('\n')));
  }

  void ratingsAreALimit() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.limits()->memory()->setValue(16);
    const QString best = f.model.chosen();
    QVERIFY(!best.isEmpty() && best != "bnb-nf4");
    f.model.evidence()->setRatings({{best, {2.5, 8, {{2.1, 2.9}}}, {}}, {"bnb-nf4", {4.5, 8, {{4.1, 4.9}}}, {}}}, "your ratings, Compare page");
    QCOMPARE(f.model.chosen(), best);                              // no limit yet
    QCOMPARE(f.page.limits()->rating()->slider()->accessibleName(), QString("Rated at least"));
    QVERIFY(f.page.limits()->rating()->toolTip().contains("Rate 1–5"));
    f.page.limits()->rating()->slider()->setValue(1);              // 4.0 of 5
    QCOMPARE(f.page.limits()->rating()->value(), std::optional(4.0));
    QVERIFY(f.model.chosen() != best);
    QStringList told;
    for (int row = 0; row < f.model.rowCount(); ++row)
      if (f.cell(row, ui::DecisionModel::Precision) == best) told << f.cell(row, ui::DecisionModel::Verdict) << f.cell(row, ui::DecisionModel::Rated);
    QCOMPARE(told.size(), 2);
    QVERIFY2(told[0].startsWith("rated 2.5 of 5 (2.1 to 2.9), N = 8, your ratings, Compare page"), qPrintable(told[0]));
    QCOMPARE(told[1], QString("2.5, N = 8"));
    f.page.limits()->rating()->slider()->setValue(f.page.limits()->rating()->slider()->maximum());
    QCOMPARE(f.model.chosen(), best);
  }

  void qualityIsALimit() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.model.addEvidence(written(folder, "report.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.20}, {4, 2}))));
    f.page.limits()->memory()->setValue(10);
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
    QCOMPARE(f.page.limits()->clip()->slider()->accessibleName(), QString("CLIP score may fall by"));
    f.page.limits()->clip()->setValue(-0.05);
    QVERIFY(f.model.chosen().isEmpty() || f.model.chosen() != "bnb-nf4");
    f.page.limits()->clip()->setValue({});
    f.page.limits()->psnr()->setValue(40);                        // it has 35
    QVERIFY(f.model.chosen() != "bnb-nf4");
    f.page.limits()->psnr()->setValue(30);
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
  }

  void limitsFilesAndStudiesAreKept() {
    const QTemporaryDir folder;
    const QString settings = folder.filePath("settings.ini");
    {
      Fixture f;
      QVERIFY(f.decided());
      f.page.setSettings(settings);
      f.page.limits()->memory()->setValue(12), f.page.limits()->clip()->setValue(-0.02), f.page.limits()->lpips()->setValue(0.1);
      f.page.limits()->rating()->setValue(4);
      const int gpu = f.page.limits()->hardware()->findText("GeForce RTX 4090, 24.0 GiB");
      QVERIFY(gpu > 0);
      Q_EMIT f.page.limits()->hardware()->activated(gpu);
      QVERIFY(f.model.addEvidence(written(folder, "evidence.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2}))));
      nlohmann::json analysis = decision::test::study({decision::test::detection("bnb-nf4", "not-noticeable", 0.0, 0.0, 0.06)});
      analysis["study"] = "abc";
      f.model.evidence()->addStudy(ui::toQt(analysis));
    }
    Fixture f;
    f.page.setSettings(settings);
    QVERIFY(f.decided());
    QCOMPARE(f.page.limits()->memory()->value(), std::optional(12.0));
    QCOMPARE(f.page.limits()->clip()->value(), std::optional(-0.02));
    QCOMPARE(f.page.limits()->lpips()->value(), std::optional(0.1));
    QCOMPARE(f.page.limits()->rating()->value(), std::optional(4.0));
    QVERIFY(!f.page.limits()->psnr()->value());
    QVERIFY(f.page.limits()->hardware()->currentText().contains("4090"));
    QCOMPARE(f.page.sources().size(), 2);
    QVERIFY(f.model.figures("bnb-nf4").size() >= 3);
  }

  void aLimitBeyondAnyMachineIsNone() {
    const QTemporaryDir folder;
    const QString file = written(folder, "decide.json", {{"limits", {{"max_memory", 1e300}}}});
    Fixture f;
    f.model.keepIn(file);
    QVERIFY(f.model.constraints().maxMemory > 0);
    QVERIFY(f.decided() && !f.model.chosen().isEmpty());
  }

  // Between 24 GiB of bf16 and 12 of int8.
  void aMixIsSearchedAndBecomesAnAnswer() {
    Fixture f;
    QVERIFY(f.decided());
    QSignalSpy searched(&f.model, &ui::DecisionModel::searched);
    f.model.searchMix("bnb-nf4");
    QVERIFY(searched.count() == 1 && searched.last().at(0).toString().contains("bf16 fits as it is"));
    f.page.limits()->memory()->setValue(20);
    f.model.searchMix("bnb-nf4");
    QVERIFY(f.model.isSearching() && f.button("Stop the search"));
    QVERIFY(searched.wait());
    QVERIFY2(searched.last().at(1).toBool() && searched.last().at(0).toString().contains("measured on the whole model"), qPrintable(searched.last().at(0).toString()));
    QVERIFY(QTest::qWaitFor([&] { return f.model.chosen().contains('?'); }, 5000));
    QVERIFY2(f.model.chosen().startsWith("bf16?"), qPrintable(f.model.chosen()));
    QVERIFY(f.model.figures(f.model.chosen()).first().contains("measured on the whole model"));
    QVERIFY(f.button("Export…")->isEnabled());
  }

  void pythonIsShownAndCopied() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.limits()->memory()->setValue(10);
    f.button("Export…")->click();
    ExportDialog* dialog = f.page.exporter();
    QVERIFY(dialog->isVisible() && dialog->python()->toPlainText().contains("bnb_4bit_quant_type=\"nf4\""));
    for (QPushButton* one : dialog->findChildren<QPushButton*>())
      if (one->text() == "Copy") one->click();
    const QString text = QGuiApplication::clipboard()->text();
    QVERIFY(text.contains("bnb_4bit_quant_type=\"nf4\"") && text.contains("prompt=\"a fox\""));
    // A GGUF file is loaded from the folder that is written in the field.
    dialog->open(QStringLiteral("gguf-q4_k"));
    auto* folder = dialog->findChild<QLineEdit*>();
    QVERIFY2(dialog->python()->toPlainText().contains("EXPORT = Path(\"" + folder->text() + "\")"), qPrintable(dialog->python()->toPlainText()));
    folder->setText(QStringLiteral("/data/q4"));
    QVERIFY(dialog->python()->toPlainText().contains("EXPORT = Path(\"/data/q4\")"));
  }

  // With a UNet in GGUF come text encoders and autoencoder twice.
  void whatAnExportTakesIsTold() {
    Fixture f;
    QVERIFY(f.decided());
    std::vector<protocol::PrecisionInfo> some(5);
    const char* const ids[] = {"fp32", "bf16", "fp8-layerwise", "bnb-nf4", "gguf-q4_k"};
    for (std::size_t i = 0; i < some.size(); ++i) some[i].id = ids[i], some[i].bits = 16;
    f.model.setPrecisions(some);
    QVERIFY(QTest::qWaitFor([&] { return f.model.exportBytes("gguf-q4_k") > 0; }, 10000));
    const qint64 flux = f.model.exportBytes("gguf-q4_k"), nf4 = f.model.exportBytes("bnb-nf4");
    f.model.setModel(QStringLiteral("flux"), QStringLiteral("sdxl"));
    QVERIFY(QTest::qWaitFor([&] { return !f.model.isBusy() && f.model.exportBytes("gguf-q4_k") > flux; }, 10000));
    QCOMPARE(f.model.exportBytes("bnb-nf4"), nf4);
    QCOMPARE(f.model.exportBytes("fp8-layerwise"), f.model.exportBytes("bf16"));
    QCOMPARE(f.model.exportBytes("nobody's"), 0);
  }

  void anExportIsFollowedAndCancelled() {
    const QTemporaryDir folder;
    Fixture f(true, {"--slow=60"});
    QVERIFY(f.decided());
    f.page.exporter()->setPlace(folder.path());
    f.page.limits()->memory()->setValue(10);
    f.button("Export…")->click();
    ExportDialog* dialog = f.page.exporter();
    QCOMPARE(dialog->out()->text(), folder.filePath("exports/bnb-nf4"));
    QVERIFY2(dialog->room().startsWith("Takes about 1") && dialog->room().contains("GB; ") && dialog->room().contains("free on that disk"),
             qPrintable(dialog->room()));
    dialog->out()->setText(folder.path());
    QVERIFY(dialog->room().contains("is there already") && !dialog->startButton()->isEnabled());
    dialog->out()->setText(folder.filePath("new"));
    const auto start = [&] {                                      // on a disk without room for it the button is grey
      if (dialog->startButton()->isEnabled()) dialog->startButton()->click();
      else f.model.exportTo("bnb-nf4", dialog->out()->text());
    };
    QSignalSpy exported(&f.model, &ui::DecisionModel::exported);
    start();
    QVERIFY(f.model.isExporting() && dialog->cancelButton()->isVisible());
    QSignalSpy progress(&f.model, &ui::DecisionModel::exportProgress);
    QVERIFY(progress.wait());                                     // the engine is at it, and says so in words
    QVERIFY2(progress[0][0].toString().startsWith("Exporting: packing layers, "), qPrintable(progress[0][0].toString()));
    dialog->cancelButton()->click();
    QVERIFY(exported.wait());
    QCOMPARE(dialog->said(), QString("Nothing was exported."));
    QVERIFY(!dialog->cancelButton()->isVisible() && !dialog->showButton()->isVisible());
    start();
    QVERIFY(exported.wait(10000));
    QVERIFY2(dialog->said().startsWith("bnb-nf4 is in " + folder.filePath("new")), qPrintable(dialog->said()));
    QVERIFY(dialog->showButton()->isVisible() && !dialog->startButton()->isEnabled());
  }

  void exportsAreWrittenByTheEngine() {
    Fixture f;
    QVERIFY(f.decided());
    QSignalSpy exported(&f.model, &ui::DecisionModel::exported);
    f.model.exportTo("bnb-nf4", "/there");
    QVERIFY(f.model.isExporting());
    QVERIFY(exported.wait());
    QCOMPARE(exported.last().at(1).toBool(), false);
    QVERIFY(exported.last().at(0).toString().contains("/there is there already"));
    f.model.exportTo("bnb-nf4", "/new");
    QVERIFY(exported.wait());
    QVERIFY2(exported.last().at(0).toString().startsWith("bnb-nf4 is in /new (7.0"), qPrintable(exported.last().at(0).toString()));
    QVERIFY(!f.model.isExporting());
  }

  void theSelectedRowIsWhatIsExported() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.table()->selectRow(3);
    QCOMPARE(f.cell(3, ui::DecisionModel::Precision), QString("bnb-nf4"));
    f.button("Export…")->click();
    QCOMPARE(f.page.exporter()->windowTitle(), QString("Export bnb-nf4"));
  }

  void nothingIsAskedOfTheEngineUnseen() {
    Fixture f(false);
    QTest::qWait(400);
    QVERIFY(!f.model.isBusy() && !f.model.decision());
    f.page.show();
    QVERIFY(f.decided());
  }

  void thePathIsDrawn() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.limits()->memory()->slider()->setValue(11);
    const QImage drawn = f.page.path()->grab().toImage();
    QSet<QRgb> colours;
    for (int y = 0; y < drawn.height(); y += 2)
      for (int x = 0; x < drawn.width(); x += 2) colours.insert(drawn.pixel(x, y));
    QVERIFY(colours.contains(theme().accent.rgb()) && colours.contains(theme().field.rgb()));
    QVERIFY(f.page.path()->heightForWidth(400) > 150);
  }
};

QTEST_MAIN(DecidePageTest)
#include "decide_page_test.moc"
