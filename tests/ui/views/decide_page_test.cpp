// The Decide page against an engine that tells known sizes.
#include "tests/decision/fixtures.h"
#include "tests/ui/fake_engine.h"
#include "ui/models/decision_model.h"
#include "ui/views/decide_page.h"
#include "ui/views/decision_path.h"
#include "ui/views/limit_slider.h"
#include "ui/views/theme.h"

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QComboBox>
#include <QFile>
#include <QGuiApplication>
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
  ui::EngineClient engine{ui::fakeEngine()};
  ui::DecisionModel model{&engine};
  DecidePage page{&model};

  explicit Fixture(bool show = true) {
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
    f.page.memory()->slider()->setValue(13);                     // 16 GiB
    QCOMPARE(f.page.memory()->value(), std::optional(16.0));
    QCOMPARE(f.model.chosen(), QString("fp8-layerwise"));        // 12 + 1 + 0.5 in turn
    QCOMPARE(f.cell(0, ui::DecisionModel::Placement), QString("its parts in turn"));
    QVERIFY2(f.page.notes().contains("with 9.5 GiB more, bf16"), qPrintable(f.page.notes()));
    f.page.memory()->slider()->setValue(11);                     // 10 GiB
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
    f.page.memory()->slider()->setValue(7);                      // 3 GiB: only weights that travel
    QCOMPARE(f.cell(0, ui::DecisionModel::Placement), QString("block by block"));
    f.page.memory()->slider()->setValue(f.page.memory()->slider()->maximum());
    QCOMPARE(f.model.chosen(), QString("bf16"));
  }

  void aGpuOfTheTableCanBePicked() {
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.page.hardware()->itemText(0).startsWith("Fake CPU, 64.0 GiB free"));
    const int index = f.page.hardware()->findText("GeForce RTX 4070, 12.0 GiB");
    QVERIFY(index > 0);
    f.page.hardware()->setCurrentIndex(index);
    Q_EMIT f.page.hardware()->activated(index);
    QVERIFY(QTest::qWaitFor([&] { return f.decided() && f.page.sentence().contains("GeForce RTX 4070"); }, 10000));
    QCOMPARE(f.model.chosen(), QString("bnb-nf4"));
    QVERIFY(f.page.notes().contains("RTX 4070 is not here"));
  }

  void evidenceIsReadAndNamed() {
    const QTemporaryDir folder;
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.model.addEvidence(written(folder, "report.json", decision::test::comparison({"bf16", "bnb-nf4"}, {0.30, 0.29}, {4, 2}))));
    QVERIFY2(f.page.notes().contains("16 pictures of 2 precisions"), qPrintable(f.page.notes()));
    f.page.time()->slider()->setValue(3);                        // 3 s
    QVERIFY(f.model.chosen() != "bf16");
    f.page.time()->slider()->setValue(f.page.time()->slider()->maximum());
    QVERIFY(f.model.addEvidence(written(folder, "analysis.json", decision::test::study({decision::test::detection("fp8-layerwise", "noticeable", 0.3, 0.2, 0.4),
                                                                                       decision::test::detection("bnb-nf4", "not-noticeable", 0.0, 0.0, 0.06)}))));
    f.page.memory()->slider()->setValue(13);
    f.page.visibility()->slider()->setValue(3);                  // 10 %
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
  }

  void picturesOfHereAreEvidenceOnce() {
    Fixture f;
    QVERIFY(f.decided());
    ui::ComparisonResult drawn{.created = QDateTime::currentDateTimeUtc(), .model = QStringLiteral("flux"), .recipe = ui::foxRecipe(), .samples = {}};
    for (const char* precision : {"bf16", "bnb-nf4"}) {
      ui::SampleResult one;
      one.sample.precision = QLatin1String(precision);
      one.sample.report = {{"seconds", QJsonObject{{"total", 2.0}}}, {"engine", QJsonObject{{"device", "cpu"}}}};
      drawn.samples.push_back(one);
    }
    f.model.learn(drawn);
    drawn.samples[1].sample.scores.psnr = 30;
    f.model.learn(drawn);                                         // the same, scored
    QCOMPARE(f.model.sources().size(), 1);
    QVERIFY2(f.model.sources().first().contains("2 pictures of 2 precisions"), qPrintable(f.model.sources().first()));
    QVERIFY(f.page.sentence().contains("2.0 s per picture on cpu (N = 1)"));
  }

  void pythonIsCopied() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.memory()->slider()->setValue(11);
    QPushButton* copy = f.button("Copy Python");
    QVERIFY(copy && copy->isEnabled());
    copy->click();
    const QString text = QGuiApplication::clipboard()->text();
    QVERIFY(text.contains("bnb_4bit_quant_type=\"nf4\"") && text.contains("prompt=\"a fox\""));
  }

  void exportsAreWrittenByTheEngine() {
    Fixture f;
    QVERIFY(f.decided());
    QVERIFY(f.button("Export for diffusers…")->isEnabled() && !f.button("Export GGUF…")->isEnabled());
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

  void theSelectedRowIsWhatIsCopied() {
    Fixture f;
    QVERIFY(f.decided());
    f.page.table()->selectRow(3);
    QCOMPARE(f.cell(3, ui::DecisionModel::Precision), QString("bnb-nf4"));
    f.button("Copy Python")->click();
    QVERIFY(QGuiApplication::clipboard()->text().contains("bnb_4bit_quant_type=\"nf4\""));
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
    f.page.memory()->slider()->setValue(11);
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
