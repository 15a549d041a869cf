// Measuring layers and policies over the steps, as a user meets them in the policy editor.
#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/main_window.h"
#include "ui/views/policy_editor.h"
#include "ui/views/policy_table.h"
#include "ui/views/precision_panel.h"
#include "ui/views/scan_chart.h"
#include "ui/views/scan_panel.h"
#include "ui/views/step_bar.h"
#include "ui/views/theme.h"

#include <QAbstractButton>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTabBar>
#include <QToolButton>
#include <QTest>

using namespace quantspot;
using namespace quantspot::views;
using Layers = ui::PolicyLayersModel;

namespace {

struct Bench {
  explicit Bench(QStringList flags = {})
      : engine(ui::fakeEngine(std::move(flags))), session((store.open(QStringLiteral(":memory:")), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  bool open() {
    if (!QTest::qWaitFor([this] { return page().precisionPanel()->generateButton()->isEnabled(); })) return false;
    page().precisionPanel()->policyButton()->click();
    return QTest::qWaitFor([this] { return session.draft()->isReady(); });
  }
  bool measure() {
    editor().measureButton()->click();
    button("Measure").click();
    return QTest::qWaitFor([this] { return session.scan()->hasResult(); });
  }
  ComparePage& page() { return *window.comparePage(); }
  PolicyEditor& editor() { return *page().policyEditor(); }
  QAbstractButton& button(const char* text) {
    for (QAbstractButton* one : editor().findChildren<QAbstractButton*>())
      if (one->text() == QLatin1String(text)) return *one;
    qFatal("no button %s", text);
  }
  QString text() { return session.draft()->text(); }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

bool anyLabelSays(const QWidget& widget, const QString& piece) {
  for (const QLabel* label : widget.findChildren<QLabel*>())
    if (label->text().contains(piece)) return true;
  return false;
}

}  // namespace

class PolicyScanTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void measuringFillsTheColumnAndTheChart() {
    Bench bench;
    QVERIFY(bench.open());
    PolicyTable& table = *bench.editor().table();
    QVERIFY(table.isColumnHidden(Layers::Error) && !bench.editor().scanPanel()->isVisible());
    QVERIFY(bench.measure());
    QVERIFY(!table.isColumnHidden(Layers::Error));
    QVERIFY(bench.editor().scanPanel()->chart()->isVisible());
    for (int row = 0; row < table.model()->rowCount(); ++row)
      QVERIFY2(table.model()->index(row, Layers::Error).data().toString().endsWith(u'%'),
          qPrintable(table.model()->index(row, Layers::Name).data().toString()));
    QVERIFY(anyLabelSays(*bench.editor().scanPanel(), QStringLiteral("all at once: error 25.0")));
  }

  void aBarSelectsItsLayers() {
    Bench bench;
    QVERIFY(bench.open() && bench.measure());
    const auto& groups = bench.session.scan()->result().groups;
    const auto block = std::find_if(groups.begin(), groups.end(), [](const auto& group) { return group.name == "transformer_blocks.1"; });
    QVERIFY(block != groups.end());
    QStringList layers;
    for (const std::string& layer : block->layers) layers << QString::fromStdString(layer);
    Q_EMIT bench.editor().scanPanel()->chart()->chosen(layers);
    QCOMPARE(bench.editor().table()->selectedLayers().size(), layers.size());
  }

  void aFoundPolicyComesIntoTheTable() {
    Bench bench;
    QVERIFY(bench.open() && bench.measure());
    bench.button("Smallest policy under this error").click();
    QTRY_COMPARE(bench.text(), QStringLiteral("bf16?^single_transformer_blocks.=bnb-nf4"));
    QVERIFY(anyLabelSays(bench.editor(), QStringLiteral("measured error 4.00")));
    QTest::keyClick(&bench.editor(), Qt::Key_Z, Qt::ControlModifier);   // as any edit
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
  }

  void whileItRunsNothingElseIsGenerated() {
    Bench bench({QStringLiteral("--slow=40")});
    QVERIFY(bench.open());
    bench.editor().measureButton()->click();
    bench.button("Measure").click();
    QVERIFY(bench.session.scan()->isRunning());
    QVERIFY(!bench.page().precisionPanel()->generateButton()->isEnabled());
    QVERIFY(anyLabelSays(*bench.page().precisionPanel(), QStringLiteral("measuring layers")));
    QTRY_VERIFY(bench.session.scan()->fraction() > 0);
    bench.button("Cancel").click();
    QTRY_VERIFY(!bench.session.scan()->isRunning());
    QVERIFY(bench.page().precisionPanel()->generateButton()->isEnabled());
  }

  void theDecoderIsShownOnRequestAndPicked() {
    Bench bench;
    QVERIFY(bench.open());
    const int before = bench.editor().table()->model()->rowCount();
    static_cast<QCheckBox&>(bench.button("Show the decoder")).setChecked(true);
    QCOMPARE(bench.editor().table()->model()->rowCount(), before + 1);
    bench.editor().table()->selectLayers({QStringLiteral("vae.decoder.layers.0")});
    bench.editor().table()->choose(QStringLiteral("bnb-int8"));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?vae.decoder=bnb-int8"));
  }

  void whatCannotHoldALayerIsGrey() {
    Bench bench;
    QVERIFY(bench.open());
    const QString narrow = QStringLiteral("x_embedder"), wide = QStringLiteral("proj_out");
    QTRY_VERIFY(!bench.session.draft()->layers()->instead(1, QStringLiteral("bnb-int8")).isEmpty());
    const auto enabled = [&](const QStringList& layers) {
      bench.editor().table()->selectLayers(layers);
      for (QComboBox* combo : bench.editor().findChildren<QComboBox*>())
        if (combo->accessibleName() == QLatin1String("Precision of the selected layers"))
          return combo->model()->flags(combo->model()->index(combo->findData(QStringLiteral("bnb-int8")), 0)).testFlag(Qt::ItemIsEnabled);
      return false;
    };
    QVERIFY(!enabled({narrow}));
    QVERIFY(enabled({wide}));
    QVERIFY(enabled({narrow, wide}));                                  // one of them can
    QCOMPARE(cannotHold(*bench.session.draft()->layers(), 1, QStringLiteral("bnb-int8")),
             QStringLiteral("INT8 cannot hold 256 × 64: the layer would be BF16"));
  }

  void withoutAPromptThereIsNothingToMeasure() {
    Bench bench;
    QVERIFY(bench.open());
    bench.editor().measureButton()->click();
    bench.editor().scanPanel()->findChild<QPlainTextEdit*>()->setPlainText(QStringLiteral("  \n"));
    QVERIFY(!bench.button("Measure").isEnabled());
    QVERIFY(anyLabelSays(*bench.editor().scanPanel(), QStringLiteral("Write a prompt")));
  }

  void anotherModelForgetsWhatWasMeasured() {
    Bench bench;
    QVERIFY(bench.open() && bench.measure());
    bench.session.setModel(QStringLiteral("half"));
    QVERIFY(bench.editor().table()->isColumnHidden(Layers::Error));
    QVERIFY(!bench.session.draft()->layers()->hasErrors());
  }

  void policiesOverTheSteps() {
    Bench bench;
    QVERIFY(bench.open());
    StepBar& steps = *bench.editor().stepBar();
    QVERIFY(!steps.findChild<QTabBar*>()->isVisible());
    steps.split();                                                     // 20 steps: the second half is another
    bench.session.draft()->setText(QStringLiteral("bnb-int8"));
    QCOMPARE(steps.text(), QStringLiteral("bnb-nf4@0-9,bnb-int8@10-"));
    steps.findChild<QSpinBox*>()->setValue(4);
    QCOMPARE(steps.text(), QStringLiteral("bnb-nf4@0-3,bnb-int8@4-"));
    steps.findChild<QTabBar*>()->setCurrentIndex(0);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));                 // the table is that of the chosen steps
    bench.session.draft()->setText(QStringLiteral("bf16"));
    QVERIFY(QTest::qWaitFor([&] { return bench.session.draft()->isReady(); }));
    bench.editor().compare();
    QVERIFY(bench.session.precisions()->checkedIds().contains(QStringLiteral("bf16@0-3,bnb-int8@4-")));
    bench.page().precisionPanel()->policyWanted(QStringLiteral("bf16@0-3,bnb-int8@4-"));   // and edited again
    QCOMPARE(steps.spans().size(), std::size_t{2});
    QCOMPARE(bench.text(), QStringLiteral("bf16"));
    steps.findChild<QTabBar*>()->setCurrentIndex(1);
    steps.removeCurrent();
    QCOMPARE(steps.text(), QStringLiteral("bf16"));
  }

  void aNameIsForOnePolicy() {
    Bench bench;
    QVERIFY(bench.open());
    for (QLineEdit* edit : bench.editor().findChildren<QLineEdit*>())
      if (edit->accessibleName() == QLatin1String("Name")) edit->setText(QStringLiteral("mine"));
    QVERIFY(bench.button("Save").isEnabled());
    bench.editor().stepBar()->split();
    QVERIFY(!bench.button("Save").isEnabled());
  }

  void aTypedScheduleFillsTheTabs() {
    Bench bench;
    QVERIFY(bench.open());
    for (QLineEdit* edit : bench.editor().findChildren<QLineEdit*>())
      if (edit->accessibleName() == QLatin1String("Policy text")) {
        edit->setText({});
        QTest::keyClicks(edit, QStringLiteral("bf16@0-1,bnb-nf4@2-"));
      }
    QCOMPARE(bench.editor().stepBar()->text(), QStringLiteral("bf16@0-1,bnb-nf4@2-"));
    QCOMPARE(bench.text(), QStringLiteral("bf16"));
  }
};

QTEST_MAIN(PolicyScanTest)
#include "policy_scan_test.moc"
