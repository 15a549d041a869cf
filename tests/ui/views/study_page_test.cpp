// The Study page: planning by its fields, what is previewed, the power, and the way from the draft to the participant's screen.
#include "tests/ui/study_fixture.h"
#include "ui/views/blocks_section.h"
#include "ui/views/comparisons_section.h"
#include "ui/views/freeze_bar.h"
#include "ui/views/frozen_study_view.h"
#include "ui/views/image_grid.h"
#include "ui/views/message_card.h"
#include "ui/views/participant_window.h"
#include "ui/views/power_panel.h"
#include "ui/views/study_designer.h"
#include "ui/views/study_page.h"
#include "ui/views/study_preview.h"
#include "ui/views/study_progress_view.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QToolButton>
#include <QTreeWidget>
#include <QWheelEvent>

using namespace quantspot;
using namespace quantspot::views;
using namespace sample;

namespace {

struct Bench {
  Bench() {
    store.open(folder.filePath("study.sqlite"));
    for (int number = 0; number < 4; ++number) {
      study::Comparison comparison;
      comparison.model = "default";
      comparison.recipe = {{"prompt", QStringLiteral("a fox, no. %1").arg(number)}, {"seed", 7}};
      for (int v = 0; v < 3; ++v) {
        study::Sample sample;
        sample.precision = QStringList{"bf16", "bnb-nf4", "gguf-q4_k"}[v], sample.png = realPng(number, v * 3);
        sample.report = {{"noise_sha256", number == 3 ? QString::number(v) : "n"}};   // the last one must be refused
        comparison.samples.push_back(sample);
      }
      store.addComparison(comparison);
    }
    page = std::make_unique<StudyPage>(&store);
    page->resize(1280, 740);
    page->show();
    page->reload();
  }
  StudyDesigner& designer() { return *page->designer(); }
  const study::Protocol& protocol() { return designer().draft()->protocol(); }
  void pickThree() {
    QTreeWidget* list = designer().comparisons()->list();
    for (int row = 0; row < list->topLevelItemCount(); ++row)
      if (!list->topLevelItem(row)->text(0).contains("no. 3")) list->topLevelItem(row)->setCheckState(0, Qt::Checked);
  }
  template <class Widget>
  Widget& named(const QString& name) {
    for (Widget* widget : designer().findChildren<Widget*>())
      if (widget->accessibleName() == name && !widget->isHidden()) return *widget;
    qFatal("no %s", qPrintable(name));
  }

  QTemporaryDir folder;
  study::StudyStore store;
  std::unique_ptr<StudyPage> page;
};

}  // namespace

class StudyPageTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Beside the pictures: what is known of them, what looks broken, and that a person may take it all the same.
  // "c1" is how a draft calls the history's first comparison; a folder may have that name, or c0.
  void foldersMayBeCalledAsTheHistorysComparisonsAre() {
    Bench bench;
    bench.page->newDraft();
    ComparisonsSection& section = *bench.designer().comparisons();
    for (int number : {0, 1}) {
      QDir().mkpath(bench.folder.filePath(QStringLiteral("in/c%1").arg(number)));
      for (int v = 0; v < 2; ++v) {
        QFile file(bench.folder.filePath(QStringLiteral("in/c%1/%2.png").arg(number).arg(QLatin1String(v ? "bnb-nf4" : "bf16"))));
        const QByteArray png = realPng(number ? 9 : 30, v * 3);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(png) == png.size());
      }
    }
    section.importFolder(bench.folder.filePath("in"));
    QVERIFY2(section.said().isEmpty() && bench.protocol().comparisons.size() == 2, qPrintable(section.said()));
    QTreeWidget* list = section.list();
    QTreeWidgetItem* own = nullptr;
    QStringList picked;
    for (int row = 0; row < list->topLevelItemCount(); ++row) {
      QTreeWidgetItem* item = list->topLevelItem(row);
      if (item->checkState(0) == Qt::Checked) picked << item->text(1);
      if (item->text(0).contains("no. 0")) own = item;                 // comparison 1 of the history
    }
    QCOMPARE(picked, (QStringList{"from a folder", "from a folder"}));
    own->setCheckState(0, Qt::Checked);
    QCOMPARE(own->checkState(0), Qt::Unchecked);
    QVERIFY2(section.said().contains("is called c1, too: rename the folder"), qPrintable(section.said()));
  }

  void whatIsKnownAndWhatLooksBroken() {
    Bench bench;
    bench.page->newDraft();
    ComparisonsSection& section = *bench.designer().comparisons();
    QVERIFY(!section.takeAll()->isVisible());
    QDir().mkpath(bench.folder.filePath("in/fox"));
    QImage broken = QImage::fromData(realPng(9, 0));
    broken.invertPixels();
    const std::pair<const char*, QByteArray> files[] = {{"bf16", realPng(9, 0)}, {"a", realPng(9, 2)}, {"b", realPng(9, 3)}};
    for (const auto& [name, png] : files) {
      QFile file(bench.folder.filePath(QStringLiteral("in/fox/%1.png").arg(QLatin1String(name))));
      QVERIFY(file.open(QIODevice::WriteOnly) && file.write(png) == png.size());
    }
    QVERIFY(broken.save(bench.folder.filePath("in/fox/c.png")));
    section.importFolder(bench.folder.filePath("in"));
    QVERIFY2(section.said().contains("the picture of c is far from all others"), qPrintable(section.said()));
    QVERIFY(section.takeAll()->isVisible() && bench.protocol().comparisons.empty());
    section.takeAll()->click();
    QVERIFY(!section.takeAll()->isVisible() && section.said().isEmpty());
    QCOMPARE(bench.protocol().comparisons.size(), std::size_t(1));
    QVERIFY2(section.known().contains("Not known: starting noise") && section.known().contains("overruled for 1 of 1"), qPrintable(section.known()));
    QLineEdit& model = bench.named<QLineEdit>("Model");
    QCOMPARE(model.text(), QString());
    QTest::keyClicks(&model, "SDXL");
    QCOMPARE(bench.protocol().model, QStringLiteral("SDXL"));
  }

  void initTestCase() { applyTheme(*qApp, false); }

  void aStrangerPlansAndFreezesAStudy() {
    Bench bench;
    QCOMPARE(bench.page->list()->model()->rowCount(), 0);
    bench.page->newDraft();
    QVERIFY(bench.page->designer());
    QVERIFY(!bench.designer().freezeBar()->button()->isEnabled());
    QVERIFY(bench.designer().state(ui::DraftSection::Comparisons).contains("Pick comparisons"));
    bench.pickThree();
    QCOMPARE(bench.protocol().comparisons.size(), std::size_t(3));
    QCOMPARE(bench.designer().state(ui::DraftSection::Comparisons), QStringLiteral("✓"));
    QVERIFY(bench.designer().freezeBar()->button()->isEnabled());
    bench.designer().freezeBar()->passphrase()->setText("short");
    bench.designer().freezeBar()->again()->setText("short");
    bench.designer().freezeBar()->button()->click();
    QVERIFY(bench.page->designer());                                   // 8 characters or more
    bench.designer().freezeBar()->passphrase()->setText(kPassphrase);
    bench.designer().freezeBar()->again()->setText(kPassphrase + "x");
    bench.designer().freezeBar()->button()->click();
    QVERIFY(bench.page->designer());                                   // unlike each other
    bench.designer().freezeBar()->again()->setText(kPassphrase);
    bench.designer().freezeBar()->button()->click();
    QVERIFY(bench.designer().freezer()->isRunning() && bench.designer().freezeBar()->cancelButton()->isVisible());
    QVERIFY(!bench.page->list()->isEnabled());                         // nothing else is opened in its place meanwhile
    QTRY_VERIFY_WITH_TIMEOUT(!bench.page->designer(), 60000);
    QVERIFY(bench.page->list()->isEnabled());
    for (const study::ComparisonHead& head : bench.store.comparisons())  // sealed in the history, but for what is not in the study
      QCOMPARE(bench.store.comparison(head.id)->samples[0].png.isEmpty(), !head.prompt.contains("no. 3"));
    auto* view = bench.page->shown()->findChild<FrozenStudyView*>();
    QVERIFY(view);
    QTRY_VERIFY_WITH_TIMEOUT(view->participant()->isEnabled(), 30000);
    QVERIFY2(view->said().contains("Each person answers 20 × spot") && view->said().contains("0 of 20"), qPrintable(view->said()));
    Ledger ledger(bench.folder.filePath("study.sqlite"));
    QCOMPARE(ledger.studies().size(), 1);
    QVERIFY(view->said().contains(ledger.studies()[0]));
    QVERIFY(!ledger.study(ledger.studies()[0]).open(kPassphrase).images.isEmpty());
    QVERIFY(QDir(bench.folder.filePath("drafts")).isEmpty());
    QCOMPARE(bench.page->list()->model()->index(0, 0).data(ui::StudyListModel::DetailRole).toString(), QStringLiteral("frozen · default"));

    bench.page->show();
    view->participant()->click();
    ParticipantWindow* window = nullptr;
    for (QWidget* top : QApplication::topLevelWidgets())
      if (auto* found = qobject_cast<ParticipantWindow*>(top)) window = found;
    QVERIFY(window && window->isFullScreen() && !bench.page->isVisible());
    window->card()->field()->setText(kPassphrase);
    window->unlock();
    QVERIFY(window->card()->isVisible());
    QSignalSpy last(qApp, &QGuiApplication::lastWindowClosed);
    window->close();
    QVERIFY(bench.page->isVisible());
    QTest::qWait(100);
    QCOMPARE(last.count(), 0);                                         // the program goes on
  }

  // Title, model and what is attested stand on the analysis itself.
  void theAnalysisStandsInPlaceOfTheStudysHead() {
    Bench bench;
    const FrozenStudy study = frozen();
    Ledger ledger(bench.folder.filePath("study.sqlite"));
    ledger.addStudy(study);
    run(ledger, study, 1, 0.5);
    ledger.close(study.hash());
    bench.page->select(study.hash());
    QTRY_VERIFY(bench.page->shown()->findChild<FrozenStudyView*>());
    auto* head = bench.page->shown()->findChild<FrozenStudyView*>();
    auto* progress = bench.page->shown()->findChild<StudyProgressView*>();
    QVERIFY(head->isVisible());
    progress->model()->unlock(kPassphrase);
    QTRY_VERIFY_WITH_TIMEOUT(progress->model()->isUnlocked(), 30000);
    progress->showAnalysis();
    QVERIFY(!head->isVisible());
    for (QPushButton* button : progress->findChildren<QPushButton*>())
      if (button->text() == "Back to participants and evidence") button->click();
    QVERIFY(head->isVisible());
  }

  // Another program adds answers and closes the study: the head over the page and the list say so with the next look at it.
  void whatOthersChangeIsSaidEverywhere() {
    Bench bench;
    const FrozenStudy study = frozen();
    Ledger ledger(bench.folder.filePath("study.sqlite"));
    ledger.addStudy(study);
    bench.page->select(study.hash());
    QTRY_VERIFY(bench.page->shown()->findChild<FrozenStudyView*>());
    auto* head = bench.page->shown()->findChild<FrozenStudyView*>();
    auto* progress = bench.page->shown()->findChild<StudyProgressView*>();
    QTRY_VERIFY(head->participant()->isEnabled());
    progress->model()->unlock(kPassphrase);
    QTRY_VERIFY_WITH_TIMEOUT(progress->model()->isUnlocked(), 30000);
    const QString before = head->said();
    run(ledger, study, 1, 0.5);
    ledger.close(study.hash());
    progress->model()->refresh();
    const QModelIndex listed = bench.page->list()->model()->index(bench.page->list()->currentIndex().row(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(head->participant()->isHidden() && head->said() != before, 30000);
    QTRY_VERIFY2_WITH_TIMEOUT(listed.data(ui::StudyListModel::DetailRole).toString().startsWith("closed"),
                              qPrintable(listed.data(ui::StudyListModel::DetailRole).toString()), 30000);
    QCOMPARE(bench.page->shown()->findChild<FrozenStudyView*>(), head);
  }

  void aRefusedComparisonSaysWhy() {
    Bench bench;
    bench.page->newDraft();
    QTreeWidget* list = bench.designer().comparisons()->list();
    QTreeWidgetItem* item = nullptr;
    for (int row = 0; row < list->topLevelItemCount(); ++row)
      if (list->topLevelItem(row)->text(0).contains("no. 3")) item = list->topLevelItem(row);
    item->setCheckState(0, Qt::Checked);
    QCOMPARE(item->checkState(0), Qt::Unchecked);
    QVERIFY2(bench.designer().comparisons()->said().contains("noise"), qPrintable(bench.designer().comparisons()->said()));
    QVERIFY(bench.protocol().comparisons.empty());
  }

  // What was being typed when a part goes is its own, and not that of the part which takes its row.
  void aPartTakesItsNumbersWithIt() {
    QTemporaryDir folder;
    study::StudyStore store;
    QVERIFY(store.open(QStringLiteral(":memory:")));
    ui::StudyDraft draft(folder.filePath("draft.json"), &store);
    draft.edit([](study::Protocol& p) {
      p.blocks.resize(2);
      p.blocks[0].trials = 20, p.blocks[1].trials = 30;
    });
    BlocksSection section(&draft);
    section.show();
    const auto named = [&](auto* none, const QString& name) {
      using Widget = std::remove_pointer_t<decltype(none)>;
      for (Widget* one : section.findChildren<Widget*>())
        if (one->accessibleName() == name && one->isVisible()) return one;
      return none;
    };
    auto* trials = named(static_cast<QSpinBox*>(nullptr), QStringLiteral("Trials of part 1"));
    auto* remove = named(static_cast<QToolButton*>(nullptr), QStringLiteral("Remove part 1"));
    QVERIFY(trials && remove);
    trials->selectAll();
    QTest::keyClicks(trials, QStringLiteral("55"));
    remove->click();
    QCOMPARE(draft.protocol().blocks.size(), std::size_t{1});
    QCOMPARE(draft.protocol().blocks[0].trials, 30);
  }

  void everyFieldReachesTheProtocolAndTheDisk() {
    Bench bench;
    bench.page->newDraft();
    bench.pickThree();
    const auto set = [&](const QString& name, double value) { bench.named<QDoubleSpinBox>(name).setValue(value); };
    const auto choose = [&](const QString& name, int index) {
      auto& combo = bench.named<QComboBox>(name);
      combo.setCurrentIndex(index), Q_EMIT combo.activated(index);
    };
    set("People", 33), set("Practice trials", 5), set("Break after", 12), set("Look at least", 1.5), set("Pictures vanish after", 20);
    choose("Order of variants", 1), choose("After an interruption", 1);
    choose("The study stops", 1);
    set("Right if the effect is there", 75);
    set("Leave out people with less than", 80), set("… who looked away more often than", 4), set("Level of intervals", 90);
    set("“Not noticeable” means detected in less than", 15);
    for (QCheckBox* box : bench.designer().findChildren<QCheckBox*>())
      if (box->text() == "Slider") box->click();
    bench.named<QPlainTextEdit>("Consent text").setPlainText("Yes?");
    QTest::keyClicks(&bench.named<QLineEdit>("Records are kept until"), "2030-01-01");
    bench.named<QPushButton>("Add a question: After the trials").click();
    QTest::keyClicks(&bench.named<QLineEdit>("Question 1"), "Was it hard?");
    const QString file = bench.designer().draft()->file();
    const study::Protocol p = ui::StudyDraft(file, &bench.store).protocol();
    QVERIFY(p.participants == 33 && p.practice == 5 && p.break_every == 12 && p.min_viewing_s == 1.5 && p.time_limit_s == 20);
    QVERIFY(p.order == study::OrderScheme::Williams && p.resume == study::ResumePolicy::NextBlock && p.stopping.rule == study::StoppingRule::Sprt);
    QCOMPARE(p.stopping.alternative_rate, 0.75);
    QCOMPARE(p.exclusion.min_gold_rate, 0.8);
    QCOMPARE(p.exclusion.max_focus_losses, 4);
    QCOMPARE(p.analysis.level, 0.9);
    QCOMPARE(p.analysis.margin, 0.15);
    QVERIFY(!p.viewer.slider && p.viewer.zoom);
    QCOMPARE(p.consent_text, QStringLiteral("Yes?"));
    QCOMPARE(p.retention_until, QStringLiteral("2030-01-01"));
    QCOMPARE(p.after.size(), std::size_t(1));
    QCOMPARE(p.after[0].text, QStringLiteral("Was it hard?"));
    QVERIFY(!bench.designer().draft()->problem());
  }

  void partsAreAddedChangedAndPreviewed() {
    Bench bench;
    bench.page->newDraft();
    bench.pickThree();
    bench.designer().blocks()->addBlock();
    QCOMPARE(bench.protocol().blocks.size(), std::size_t(2));
    QCOMPARE(bench.designer().preview()->pages()->currentText(), QStringLiteral("Trials 2: preference"));
    QCOMPARE(bench.designer().preview()->grid()->count(), 2);
    auto& kind = bench.named<QComboBox>("Kind of part 2");
    kind.setCurrentIndex(6), Q_EMIT kind.activated(6);
    QCOMPARE(bench.protocol().blocks[1].kind, study::TrialKind::Ranking);
    QVERIFY(!bench.protocol().blocks[1].ties);
    QCOMPARE(bench.designer().preview()->grid()->count(), 3);
    bench.named<QSpinBox>("Trials of part 1").setValue(44);
    QCOMPARE(bench.protocol().blocks[0].trials, 44);
    bench.named<QSpinBox>("Pictures of part 1").setValue(6);
    QCOMPARE(bench.designer().preview()->grid()->count(), 6);
    bench.named<QDoubleSpinBox>("Flicker of part 1").setValue(3);
    QCOMPARE(bench.designer().preview()->grid()->mode(), ImageGrid::Mode::Cycle);
    bench.named<QToolButton>("Remove part 2").click();
    QCOMPARE(bench.protocol().blocks.size(), std::size_t(1));
    QVERIFY(!bench.designer().freezeBar()->button()->text().isEmpty());
  }

  void thePowerPanelKnowsThePublishedNumbers() {
    Bench bench;
    bench.page->newDraft();
    bench.pickThree();
    PowerPanel* panel = bench.designer().power();
    auto& kind = bench.named<QComboBox>("Kind of part 1");
    kind.setCurrentIndex(1), Q_EMIT kind.activated(1);                 // ABX: chance 1/2
    bench.designer().draft()->setEffect({0.65, 0.8});
    QVERIFY2(panel->said().contains("needs 69 trials"), qPrintable(panel->said()));
    bench.designer().draft()->setEffect({0.6, 0.8});
    QVERIFY2(panel->said().contains("needs 158 trials"), qPrintable(panel->said()));
    QVERIFY(panel->said().contains("20 people × 20 trials for 2 variants or pairs, so 200 each"));
    bench.designer().draft()->setEffect({0.4, 0.8});
    QVERIFY2(panel->said().contains("By guessing alone people are right in 50 %"), qPrintable(panel->said()));
    auto& again = bench.named<QComboBox>("Kind of part 1");
    again.setCurrentIndex(5), Q_EMIT again.activated(5);
    QVERIFY(panel->said().contains("no right answers"));
  }

  void theWheelScrollsAndChangesNothing() {
    Bench bench;
    bench.page->newDraft();
    bench.pickThree();
    auto& people = bench.named<QDoubleSpinBox>("People");
    auto& order = bench.named<QComboBox>("Order of variants");
    for (QWidget* field : {static_cast<QWidget*>(&people), static_cast<QWidget*>(&order)}) {
      QWheelEvent wheel(QPointF(5, 5), field->mapToGlobal(QPointF(5, 5)), {}, QPoint(0, -120), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
      QCoreApplication::sendEvent(field, &wheel);
    }
    QCOMPARE(people.value(), 20.0);
    QCOMPARE(order.currentIndex(), 0);
  }

  void draftsAreKeptAndDiscarded() {
    Bench bench;
    bench.page->newDraft(), bench.page->newDraft();
    QCOMPARE(bench.page->list()->model()->rowCount(), 2);
    StudyPage another(&bench.store);
    another.reload();                                                  // drafts need no store
    QCOMPARE(another.list()->model()->rowCount(), 2);
    auto* discard = bench.designer().findChild<QPushButton*>(QStringLiteral("discard"));
    QCOMPARE(discard->text(), QStringLiteral("Discard draft"));
    discard->click();
    QCOMPARE(discard->text(), QStringLiteral("Discard for good"));      // one press alone throws nothing away
    QCOMPARE(bench.page->list()->model()->rowCount(), 2);
    discard->click();
    QTRY_COMPARE(bench.page->list()->model()->rowCount(), 1);
  }

  void bothThemesShowEveryButtonWhole() {
    for (const bool dark : {false, true}) {
      applyTheme(*qApp, dark);
      Bench bench;
      bench.page->newDraft();
      bench.pickThree();
      QCoreApplication::processEvents();
      for (QPushButton* button : bench.designer().freezeBar()->findChildren<QPushButton*>())
        QVERIFY2(button->width() >= button->minimumSizeHint().width(), qPrintable(button->text()));
      QVERIFY(bench.designer().power()->plot());
    }
    applyTheme(*qApp, false);
  }
};

QTEST_MAIN(StudyPageTest)
#include "study_page_test.moc"
