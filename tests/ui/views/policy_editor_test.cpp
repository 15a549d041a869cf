// The policy editor as a user meets it: from "+ policy…" to a ticked precision, by keys and by mouse, and policies under names.
#include "tests/ui/fake_engine.h"
#include "ui/models/compare_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/main_window.h"
#include "ui/views/policy_editor.h"
#include "ui/views/policy_table.h"
#include "ui/views/precision_panel.h"
#include "ui/views/question_panel.h"
#include "ui/views/result_entries.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

using namespace quantspot;
using namespace quantspot::views;
using Layers = ui::PolicyLayersModel;

namespace {

struct Bench {
  explicit Bench(const QString& path = QStringLiteral(":memory:"), QStringList flags = {})
      : engine(ui::fakeEngine(std::move(flags))), session((store.open(path), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  // Opens the editor by its link and waits for the engine's answer.
  bool open() {
    if (!QTest::qWaitFor([this] { return page().precisionPanel()->generateButton()->isEnabled(); })) return false;
    page().precisionPanel()->policyButton()->click();
    return settled();
  }
  bool settled() { return QTest::qWaitFor([this] { return session.draft()->isReady(); }); }
  ComparePage& page() { return *window.comparePage(); }
  PolicyEditor& editor() { return *page().policyEditor(); }
  PolicyTable& table() { return *editor().table(); }
  template <class T>
  T& child(const char* name) {
    for (T* one : editor().findChildren<T*>())
      if (one->accessibleName() == QLatin1String(name)) return *one;
    qFatal("no %s", name);
  }
  QPushButton& button(const char* text) {
    for (QPushButton* one : editor().findChildren<QPushButton*>())
      if (one->text() == QLatin1String(text)) return *one;
    qFatal("no button %s", text);
  }
  QModelIndex cell(const QString& layer, int column = Layers::Precision) {
    for (int row = 0; row < table().model()->rowCount(); ++row)
      if (table().model()->index(row, 0).data(Layers::NameRole).toString() == layer) return table().model()->index(row, column);
    return {};
  }
  void select(const QStringList& layers) {
    table().clearSelection();
    for (const QString& layer : layers) table().selectionModel()->select(cell(layer), QItemSelectionModel::Select | QItemSelectionModel::Rows);
  }
  void pick(QComboBox& combo, const QString& id) {
    combo.setCurrentIndex(combo.findData(id));
    Q_EMIT combo.activated(combo.currentIndex());
  }
  QString text() { return session.draft()->text(); }
  QStringList listed() {
    QStringList names;
    for (int row = 0; row < session.precisions()->rowCount(); ++row) names << session.precisions()->index(row).data().toString();
    return names;
  }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

const QString kProj = QStringLiteral("proj_out"), kX = QStringLiteral("x_embedder"), kNorm = QStringLiteral("norm_out.linear");

}  // namespace

class PolicyEditorTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void theLinkOpensATableThatSaysWhatItIs() {
    Bench bench;
    QVERIFY(bench.open());
    QVERIFY(bench.editor().isWindow() && !bench.editor().isModal());
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
    QCOMPARE(bench.table().model()->rowCount(), 21);                  // what a policy reaches of the transformer
    QVERIFY2(bench.editor().said().startsWith(QStringLiteral("NF4 for all 21 layers; ")), qPrintable(bench.editor().said()));
    bench.editor().findChildren<QCheckBox*>().last()->setChecked(true);
    QCOMPARE(bench.table().model()->rowCount(), bench.session.draft()->layers()->rowCount());
  }

  void aChoiceInOneOfSeveralSelectedRowsIsForAll() {
    Bench bench;
    QVERIFY(bench.open());
    bench.select({kProj, kX, kNorm});
    const QPoint on = bench.table().visualRect(bench.cell(kX)).center();
    QTest::mouseClick(bench.table().viewport(), Qt::LeftButton, {}, on);   // on the combo: the selection stays
    QCOMPARE(bench.table().selectedLayers().size(), 3);
    auto* combo = bench.table().viewport()->findChild<QComboBox*>();
    QVERIFY(combo);
    bench.pick(*combo, QStringLiteral("bf16"));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?skip=norm_out,x_embedder,^proj_out"));
    QVERIFY(bench.settled());
    QVERIFY2(bench.editor().said().contains(QStringLiteral("stay BF16")), qPrintable(bench.editor().said()));
    QCOMPARE(bench.child<QLineEdit>("Policy text").text(), bench.text());
  }

  void leavingTheComboChangesNothing() {
    Bench bench;
    QVERIFY(bench.open());
    bench.select({kProj, kX});
    bench.table().setCurrentIndex(bench.cell(kX));
    QTest::keyClick(&bench.table(), Qt::Key_Return);
    auto* combo = bench.table().viewport()->findChild<QComboBox*>();
    QVERIFY(combo);
    combo->setCurrentIndex(2);                                         // looked at, not chosen
    QTest::keyClick(combo, Qt::Key_Tab);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
  }

  void keysAloneAreEnough() {
    Bench bench;
    QVERIFY(bench.open());
    QTest::keyClick(&bench.editor(), Qt::Key_F, Qt::ControlModifier);
    auto& filter = bench.child<QLineEdit>("Filter layers");
    QTest::keyClicks(&filter, QStringLiteral("ATTN.to_q"));
    QCOMPARE(bench.table().model()->rowCount(), 5);
    bench.table().setFocus();
    QTest::keyClick(&bench.table(), Qt::Key_A, Qt::ControlModifier);
    QCOMPARE(bench.table().selectedLayers().size(), 5);
    bench.table().selectionModel()->setCurrentIndex(bench.table().model()->index(0, 0), QItemSelectionModel::NoUpdate);
    QTest::keyClick(&bench.table(), Qt::Key_Return);
    auto* combo = bench.table().viewport()->findChild<QComboBox*>();
    QVERIFY(combo);                                                    // of the precision column, though another is current
    bench.pick(*combo, QStringLiteral("bnb-int8"));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?to_q=bnb-int8"));
    QTest::keyClick(&bench.table(), Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
    QTest::keyClick(&bench.table(), Qt::Key_Escape);
    QVERIFY(!bench.editor().isVisible());
  }

  void theComboBesideTheFilterSetsTheSelection() {
    Bench bench;
    QVERIFY(bench.open());
    auto& combo = bench.child<QComboBox>("Precision of the selected layers");
    QVERIFY(!combo.isEnabled());
    bench.select({kProj, kX});
    QVERIFY(combo.isEnabled());
    bench.pick(combo, QStringLiteral("fp8-layerwise"));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?x_embedder=fp8-layerwise&^proj_out=fp8-layerwise"));
    QCOMPARE(combo.currentIndex(), 0);
    combo.setCurrentIndex(1);                                          // "as the base has it"
    Q_EMIT combo.activated(1);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
  }

  void typedTextFillsTheTable() {
    Bench bench;
    QVERIFY(bench.open());
    auto& line = bench.child<QLineEdit>("Policy text");
    line.selectAll();
    QTest::keyClicks(&line, QStringLiteral("bnb-int8?skip=attn,nothing_here"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.cell(QStringLiteral("transformer_blocks.0.attn.to_q")).data().toString(), QStringLiteral("BF16"));
    QCOMPARE(bench.child<QComboBox>("Base precision").currentData().toString(), QStringLiteral("bnb-int8"));
    QVERIFY(bench.editor().said().contains(QStringLiteral("No layer of this model is called nothing_here")));
    QTest::keyClicks(&line, QStringLiteral("&x=nf5"));
    QTRY_VERIFY(bench.editor().said().contains(QStringLiteral("unknown precision \"nf5\"")));
    QVERIFY(!bench.button("Add to comparison").isEnabled());
    bench.editor().compare();                                          // by its key: nothing
    QCOMPARE(bench.listed().size(), 4);
  }

  void theTextIsCopied() {
    Bench bench;
    QVERIFY(bench.open());
    bench.session.draft()->setText(QStringLiteral("bnb-nf4?skip=norm"));
    for (QToolButton* one : bench.editor().findChildren<QToolButton*>())
      if (one->text() == QLatin1String("Copy")) one->click();
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("bnb-nf4?skip=norm"));
  }

  void textEncodersAreASwitch() {
    Bench bench;
    QVERIFY(bench.open());
    QCheckBox* too = bench.editor().findChildren<QCheckBox*>().first();
    too->click();
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?text_encoder=bnb-nf4"));
    QVERIFY(bench.settled());
    QCOMPARE(bench.table().model()->rowCount(), 24);
    QVERIFY2(bench.editor().said().contains(QStringLiteral("text encoders: NF4 for all 3 layers")), qPrintable(bench.editor().said()));
    bench.pick(bench.child<QComboBox>("Precision of the text encoders"), QStringLiteral("bnb-int8"));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?text_encoder=bnb-int8"));
    too->click();
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4"));
    QCOMPARE(bench.table().model()->rowCount(), 21);
  }

  void whatIsAddedIsTickedAndHasItsSize() {
    Bench bench;
    QVERIFY(bench.open());
    bench.session.draft()->setText(QStringLiteral("bnb-nf4?skip=attn"));
    bench.button("Add to comparison").click();
    QVERIFY(!bench.editor().isVisible());
    QCOMPARE(bench.session.precisions()->checkedIds().constLast(), QStringLiteral("bnb-nf4?skip=attn"));
    QTRY_VERIFY(!bench.session.precisions()->index(4).data(ui::PrecisionListModel::BytesRole).isNull());
    QListView* list = bench.page().precisionPanel()->list();
    list->setCurrentIndex(list->model()->index(4, 0));
    QTest::keyClick(list, Qt::Key_F2);                                 // edited again
    QVERIFY(bench.editor().isVisible());
    QTest::keyClick(list, Qt::Key_Delete);
    QCOMPARE(bench.listed().size(), 4);
  }

  void shippedPoliciesAreMadeForTheModelAtHand() {
    Bench bench;
    QVERIFY(bench.open());
    auto& start = bench.child<QComboBox>("Start from");
    const int last = start.findText(QStringLiteral("Last block"), Qt::MatchStartsWith);
    QVERIFY(last > 0 && !start.itemData(last, Qt::ToolTipRole).toString().isEmpty());
    start.setCurrentIndex(last);
    Q_EMIT start.activated(last);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?skip=single_transformer_blocks.2"));
    QCOMPARE(start.currentIndex(), last);
    bench.session.draft()->setPrecision({0}, QStringLiteral("bf16"));
    bench.session.draft()->setText(QStringLiteral("bnb-nf4"));
    QCOMPARE(start.currentIndex(), 0);                                 // it is another one now
  }

  void aSavedPolicyIsListedAlsoAtTheNextStart() {
    QTemporaryDir folder;
    const QString store = folder.filePath(QStringLiteral("study.sqlite"));
    {
      Bench bench(store);
      QVERIFY(bench.open());
      bench.session.draft()->setText(QStringLiteral("bnb-nf4?skip=norm"));
      QVERIFY(!bench.button("Save").isEnabled());
      bench.child<QLineEdit>("Name").setText(QStringLiteral("norms kept"));
      bench.button("Save").click();
      QCOMPARE(bench.listed().constLast(), QStringLiteral("norms kept"));
      QVERIFY(!bench.session.precisions()->checkedIds().contains(QStringLiteral("bnb-nf4?skip=norm")));
      bench.button("Add to comparison").click();
      QCOMPARE(bench.session.precisions()->checkedIds().constLast(), QStringLiteral("bnb-nf4?skip=norm"));
      QCOMPARE(bench.listed().size(), 5);                              // ticked, not listed twice
    }
    Bench bench(store);
    QTRY_COMPARE(bench.listed().size(), 5);
    QCOMPARE(bench.listed().constLast(), QStringLiteral("norms kept"));
    QTRY_VERIFY(!bench.session.precisions()->index(4).data(ui::PrecisionListModel::BytesRole).isNull());
    bench.session.removePolicy(4);
    QCOMPARE(bench.listed().size(), 4);
    QVERIFY(QDir(folder.filePath(QStringLiteral("policies"))).isEmpty());
  }

  void policiesAreExchangedAsFiles() {
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("ends in 8 bit.json"));
    Bench bench;
    QVERIFY(bench.open());
    bench.session.draft()->setText(QStringLiteral("bnb-nf4?x_embedder=bnb-int8"));
    bench.editor().exportTo(file);
    bench.session.draft()->setText(QStringLiteral("bf16"));
    bench.editor().importFrom(file);
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?x_embedder=bnb-int8"));
    QCOMPARE(bench.listed().constLast(), QStringLiteral("ends in 8 bit"));
    bench.editor().importFrom(folder.filePath(QStringLiteral("none.json")));
    QCOMPARE(bench.text(), QStringLiteral("bnb-nf4?x_embedder=bnb-int8"));
  }

  void aComparedPolicyIsNamedAsItsOwnerNamedIt() {
    Bench bench;
    QVERIFY(bench.open());
    bench.session.draft()->setText(QStringLiteral("bnb-nf4?skip=norm&single_transformer_blocks.2=bnb-int8&^proj_out=bf16"));
    bench.child<QLineEdit>("Name").setText(QStringLiteral("my mix"));
    bench.editor().save();
    bench.editor().compare();
    bench.page().precisionPanel()->generateButton()->click();
    QTRY_COMPARE(bench.session.trial()->state(), ui::TrialController::State::Open);
    QStringList choices;
    for (QComboBox* combo : bench.page().questionPanel()->findChildren<QComboBox*>()) choices << combo->itemText(combo->count() - 1);
    QCOMPARE(choices, QStringList(5, QStringLiteral("my mix")));
    QCOMPARE(bench.session.trial()->options().constLast(), bench.text());   // stored by its text: names may change
    for (int slot = 0; slot < 5; ++slot) bench.session.trial()->choose(slot, bench.session.trial()->options().value(slot));
    bench.page().answer();
    int named = 0;
    for (const ResultEntry& entry : resultEntries(bench.session))
      named += entry.truth.precision == QLatin1String("my mix") && entry.figures.label == QLatin1String("my mix");
    QCOMPARE(named, 1);
  }

  void aRunningComparisonIsNotDisturbed() {
    Bench bench(QStringLiteral(":memory:"), {QStringLiteral("--slow=20")});
    QVERIFY(bench.open());
    bench.page().precisionPanel()->generateButton()->click();
    QVERIFY(bench.session.isBusy());
    bench.session.draft()->setText(QStringLiteral("bnb-nf4?skip=attn"));
    QVERIFY(bench.editor().isVisible() && bench.editor().isEnabled());
    QTRY_COMPARE(bench.session.trial()->state(), ui::TrialController::State::Open);
    QVERIFY(bench.settled());
    QCOMPARE(bench.session.trial()->slotCount(), 4);
  }

  void bothThemesShowEveryButtonWhole() {
    for (const bool dark : {false, true}) {
      applyTheme(*qApp, dark);
      Bench bench;
      QVERIFY(bench.open());
      bench.editor().resize(bench.editor().minimumSize());
      bench.child<QLineEdit>("Name").setText(QStringLiteral("a name"));
      QCoreApplication::processEvents();
      for (QAbstractButton* button : bench.editor().findChildren<QAbstractButton*>()) {
        if (!button->isVisible() || !button->parentWidget() || button->text().isEmpty()) continue;
        const QRect place(button->mapTo(&bench.editor(), QPoint(0, 0)), button->size());
        QVERIFY2(bench.editor().rect().contains(place) && button->width() >= button->minimumSizeHint().width(), qPrintable(button->text()));
      }
    }
    applyTheme(*qApp, false);
  }
};

QTEST_MAIN(PolicyEditorTest)
#include "policy_editor_test.moc"
