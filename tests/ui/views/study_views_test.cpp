// What the experimenter sees of a running study, and the analysis page of a finished one.
#include "study/ablation.h"
#include "study/csv.h"
#include "study/revealed.h"
#include "study/study_store.h"
#include "tests/study/sample_study.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/policy_library.h"
#include "ui/views/analysis_evidence.h"
#include "ui/views/analysis_page.h"
#include "ui/views/confusion_card.h"
#include "ui/views/forest_chart.h"
#include "ui/views/study_page.h"
#include "ui/views/frozen_study_view.h"
#include "ui/views/study_progress_view.h"
#include "ui/views/theme.h"
#include "ui/views/unlock_panel.h"
#include "ui/views/verdict_list.h"

#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonDocument>
#include <QPointer>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using namespace quantspot::study;
using namespace quantspot::views;

namespace {

// A study on disk that some people answered.
struct Stored {
  explicit Stored(const QString& folder, const Protocol& protocol = sample::protocol(), int people = 3, double skill = 0.6)
      : store(folder + QStringLiteral("/%1.sqlite").arg(++count)), study(sample::frozen(protocol)), ledger(store) {
    ledger.addStudy(study);
    seats = sample::run(ledger, study, people, skill);
  }
  static inline int count = 0;
  QString store;
  FrozenStudy study;
  Ledger ledger;
  std::vector<Seat> seats;
};

// One more person, whom the rules exclude whatever is drawn.
void answerHastily(Stored& stored) {
  const Mapping mapping = stored.study.open(sample::kPassphrase);
  const Seat seat = stored.ledger.join(stored.study.hash(), {{"consent", "1"}});
  quantspot::statistics::Random random(5);
  for (const PlannedTrial& trial : planTrials(stored.study, mapping, seat.participant, seat.cell))
    stored.ledger.answer(stored.study, mapping, seat, trial.index, sample::answerOf(stored.study.protocol(), trial, 0.5, random),
                         {{"response_ms", 300}, {"focus_losses", 0}});
}

Protocol everyKind() {
  Protocol p = sample::protocol(16);
  p.exclusion.min_gold_rate = 0.75;
  for (TrialKind kind : {TrialKind::Abx, TrialKind::SameDifferent, TrialKind::Rating, TrialKind::Ranking}) {
    Block block;
    block.kind = kind;
    block.trials = 12;
    p.blocks.push_back(block);
  }
  return p;
}

bool opens(AnalysisPage& page) {
  QSignalSpy opened(&page, &AnalysisPage::opened);
  page.unlock()->field()->setText(sample::kPassphrase);
  QTest::keyClick(page.unlock()->field(), Qt::Key_Return);
  return QTest::qWaitFor([&] { return opened.count() == 1; }, 30000);
}

void unlock(StudyProgressView& view, const QString& passphrase = sample::kPassphrase) {
  QSignalSpy busy(view.model(), &ui::StudyProgressModel::busyChanged);
  view.unlock()->field()->setText(passphrase);
  QTest::keyClick(view.unlock()->field(), Qt::Key_Return);
  QTRY_COMPARE_WITH_TIMEOUT(busy.count(), 2, 30000);
}

QPushButton* button(QWidget& root, const QString& text) {
  for (QPushButton* found : root.findChildren<QPushButton*>())
    if (found->text() == text && !found->isHidden()) return found;
  return nullptr;
}

QJsonObject syntheticPart(int people, int variants) {
  QJsonArray detection, participants, visibility;
  for (int v = 0; v < variants; ++v) {
    QJsonArray shares;
    for (int i = 0; i < people; ++i)
      shares << QJsonObject{{"participant", QString::number(i)}, {"correct", 3}, {"trials", 4}, {"rate", 0.75}, {"interval", QJsonArray{0.2, 0.99}}};
    const QString name = QStringLiteral("gguf-q4_k?skip=block%1").arg(v);
    detection << QJsonObject{{"kind", "spot"}, {"slots", 4}, {"variant", name}, {"chance", 0.25}, {"detection", 0.6}, {"detection_interval", QJsonArray{0.5, 0.7}},
        {"per_participant", shares}, {"per_prompt", QJsonArray()}, {"dprime", QJsonObject{{"mafc", QJsonObject{{"value", QJsonValue()}, {"interval", QJsonArray{1.0, QJsonValue()}}}}}}};
    visibility << QJsonObject{{"variant", name}, {"detection", 0.6}, {"interval", QJsonArray{0.5, 0.7}}, {"trials", 4}};
  }
  return {{"people", people}, {"responses", people * variants}, {"detection", detection}, {"visibility", visibility}, {"preference", QJsonValue()},
      {"rating", QJsonValue()}, {"ranking", QJsonValue()}, {"psychometric", QJsonValue()}, {"decisions", QJsonArray()}};
}

}  // namespace

class StudyViewsTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

 private Q_SLOTS:

  void aWrongPassphraseCostsOnlyTime() {
    Stored stored(folder_.path());
    StudyProgressView view(stored.store, stored.study.hash());
    view.show();
    const QByteArray head = stored.ledger.head(stored.study.hash());
    unlock(view, "wrong horse");
    QVERIFY(!view.model()->isUnlocked());
    const QString said = saidBy(&view).join('\n');
    QVERIFY2(said.contains("the passphrase is wrong"), qPrintable(said));
    QVERIFY(view.unlock()->field()->isEnabled() && view.unlock()->field()->text().isEmpty());
    unlock(view);
    QVERIFY(view.model()->isUnlocked());
    QCOMPARE(view.countsText(), QStringLiteral("3 of 6 people joined, 3 finished, 78 answers"));
    QCOMPARE(stored.ledger.head(stored.study.hash()), head);
  }

  void nothingShowsBeforeThePassphrase() {
    Stored stored(folder_.path());
    StudyProgressView view(stored.store, stored.study.hash());
    view.show();
    QTRY_VERIFY(view.model()->isKnown());
    view.model()->refresh();
    const QString said = saidBy(&view).join('\n');
    QVERIFY(said.contains("How far it is") && !said.contains("78") && !said.contains(stored.seats[0].participant));
  }

  // More people than planned, and one of anything, are called so.
  void countsAreWordsThatFit() {
    struct Case { int planned, people; const char *joined, *begun; };  // planned: 0 where nobody said
    for (const Case& one : {Case{2, 1, "1 of 2 people joined, 1 finished, 26 answers", "1 of 2 planned people have begun."},
                            Case{2, 2, "2 of 2 people joined, 2 finished, 52 answers", "2 of 2 planned people have begun."},
                            Case{2, 3, "3 people joined, 3 finished, 78 answers", "3 people have begun, 2 were planned."},
                            Case{0, 0, "0 people joined, 0 finished, 0 answers", "Nobody has begun."},
                            Case{0, 1, "1 person joined, 1 finished, 26 answers", "1 person has begun."},
                            Case{0, 2, "2 people joined, 2 finished, 52 answers", "2 people have begun."}}) {
      Protocol p = sample::protocol();
      p.participants = one.planned;
      Stored stored(folder_.path(), p, one.people, 1);
      StudyProgressView view(stored.store, stored.study.hash());
      FrozenStudyView head(stored.store, stored.study.hash());
      view.show();
      unlock(view);
      QCOMPARE(view.countsText(), QLatin1String(one.joined));
      QTRY_VERIFY(head.participant()->isEnabled());
      QVERIFY2(head.said().contains(QLatin1String(one.begun)), qPrintable(head.said()));
      QCOMPARE(head.said().contains("planned"), one.planned > 0);
    }
  }

  // Fixed number of trials: no variant, no share right, no verdict. Sequential: the rule's verdict alone.
  void aRunningStudyShowsNoScores() {
    for (const StoppingRule rule : {StoppingRule::Fixed, StoppingRule::AlwaysValid}) {
      Protocol p = sample::protocol(24);
      p.stopping.rule = rule;
      Stored stored(folder_.path(), p, 4, 1);
      StudyProgressView view(stored.store, stored.study.hash());
      view.show();
      unlock(view);
      const QString said = saidBy(&view).join('\n');
      QVERIFY(said.contains("4 finished") && said.contains(stored.study.hash().left(16)));
      QCOMPARE(said.contains("bnb-nf4 spot: may stop"), rule == StoppingRule::AlwaysValid);
      for (const char* word : {"noticeable", "% right", "d′ =", "Bradley"}) QVERIFY2(!said.contains(word), word);
      if (rule == StoppingRule::Fixed) QVERIFY(!said.contains("bnb-nf4") && said.contains("scores stay hidden"));
      view.showAnalysis();
      QVERIFY(!view.showsAnalysis());
    }
  }

  void closingAsksOnceAndOpensTheAnalysis() {
    Stored stored(folder_.path());
    StudyProgressView view(stored.store, stored.study.hash());
    view.show();
    unlock(view);
    QSignalSpy closed(&view, &StudyProgressView::closed), opened(view.analysis(), &AnalysisPage::opened);
    QTest::mouseClick(button(view, "Close the study…"), Qt::LeftButton);
    QTest::mouseClick(button(view, "No"), Qt::LeftButton);
    QVERIFY(view.focusWidget() == view.findChild<QTableView*>());
    QVERIFY(stored.ledger.closedAt(stored.study.hash()).isEmpty());
    QTest::mouseClick(button(view, "Close the study…"), Qt::LeftButton);
    QTest::mouseClick(button(view, "Close it"), Qt::LeftButton);
    QTRY_COMPARE_WITH_TIMEOUT(closed.count(), 1, 30000);
    QVERIFY(!stored.ledger.closedAt(stored.study.hash()).isEmpty() && !button(view, "Close the study…"));
    QCOMPARE(view.focusWidget(), button(view, "Reveal and analyze"));   // what comes next; not whatever the window has after the bar
    QTest::mouseClick(button(view, "Reveal and analyze"), Qt::LeftButton);
    QVERIFY(view.showsAnalysis());
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
    QCOMPARE(view.analysis()->verdicts()->count(), 2);
  }

  void whatOthersAddIsSeenAndPeopleAreErased() {
    Stored stored(folder_.path());
    StudyProgressView view(stored.store, stored.study.hash());
    view.show();
    unlock(view);
    const QString id = view.model()->participants()->participant(0);   // answered everything
    stored.ledger.join(stored.study.hash());
    view.model()->refresh();
    QTRY_VERIFY_WITH_TIMEOUT(view.countsText().startsWith("4 of 6 people"), 30000);
    auto* table = view.findChild<QTableView*>();
    int row = 0;                                                       // random ids come in any order
    while (view.model()->participants()->participant(row) != id) QVERIFY(++row < 4);
    table->selectRow(row);
    QVERIFY(button(view, "Export participant…")->isEnabled());
    QSignalSpy written(view.model(), &ui::StudyProgressModel::written);
    view.model()->exportParticipant(id, folder_.filePath("person.json"));
    QTRY_COMPARE_WITH_TIMEOUT(written.count(), 1, 30000);
    const QJsonArray kept = QJsonDocument::fromJson(readFile(folder_.filePath("person.json")))["records"].toArray();
    QCOMPARE(kept.size(), 1 + 26);   // joined, and every trial with practice
    QTest::mouseClick(button(view, "Erase participant…"), Qt::LeftButton);
    QTest::mouseClick(button(view, "Erase"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(view.countsText().startsWith("3 of 6 people"), 30000);
    QVERIFY(!saidBy(table).join('\n').contains(id) && view.model()->participants()->rowCount() == 3);
    QVERIFY(chainProblems(stored.study.hash().toLatin1(), stored.ledger.chain(stored.study.hash())).isEmpty());
  }

  void theBundleHoldsAndASealedOneTellsNothing() {
    Stored stored(folder_.path());
    StudyProgressView view(stored.store, stored.study.hash());
    view.show();
    unlock(view);
    QSignalSpy exported(view.model(), &ui::StudyProgressModel::exported), failed(view.model(), &ui::StudyProgressModel::failed);
    const QString sealed = folder_.filePath("sealed.zip"), open = folder_.filePath("open.zip");
    view.model()->exportBundle(sealed);
    QTRY_COMPARE_WITH_TIMEOUT(exported.count(), 1, 30000);
    view.model()->close();
    QTRY_VERIFY_WITH_TIMEOUT(view.model()->isClosed() && !view.model()->isBusy(), 30000);
    view.model()->exportBundle(open);
    QTRY_COMPARE_WITH_TIMEOUT(exported.count(), 2, 30000);
    QVERIFY(!verifyBundle(readFile(sealed)).revealed && verifyBundle(readFile(open)).revealed);
    QCOMPARE(exported[1][1].toString(), view.model()->head());
    view.model()->exportBundle("/proc/nowhere/x.zip");
    QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
    QVERIFY(failed[0][0].toString().contains("/proc/nowhere/x.zip cannot be written"));

    AnalysisPage page;
    page.show();
    QSignalSpy opened(&page, &AnalysisPage::opened), wrong(page.model(), &ui::AnalysisModel::failed);
    page.openBundle(sealed);
    QTRY_COMPARE_WITH_TIMEOUT(wrong.count(), 1, 30000);
    QVERIFY(saidBy(&page).join('\n').contains("the bundle is sealed"));
    page.openBundle(open);
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
    StudyStore store;
    QVERIFY(store.open(folder_.filePath("bundles.sqlite")));
    StudyPage studies(&store);
    studies.show();
    studies.openBundle(open);
    auto* inside = qobject_cast<AnalysisPage*>(studies.shown());
    QVERIFY(inside);
    QTRY_VERIFY_WITH_TIMEOUT(inside->model()->isLoaded(), 30000);
    studies.reload();
    QCOMPARE(studies.shown(), inside);
    QByteArray bent = readFile(open);
    bent[bent.size() / 2] = static_cast<char>(bent[bent.size() / 2] ^ 1);
    QFile file(open);
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bent) == bent.size());
    file.close();
    page.openBundle(open);
    QTRY_COMPARE_WITH_TIMEOUT(wrong.count(), 2, 30000);
  }

  // Each number on the page is that of analysis.json, and the switch changes all of them.
  void thePageShowsWhatPeopleSaid() {
    Stored stored(folder_.path(), sample::withQuestions(sample::protocol(4)), 3);
    const char* const hard[] = {"2", "5", "4"};
    for (int i = 0; i < 3; ++i)
      sample::say(stored.ledger, stored.study, stored.seats[static_cast<std::size_t>(i)], {{"eyes", i ? "no" : "yes"}},
          {{"hard", QString(hard[i]).toInt()}, {"sure", 1}, {"more", i ? "" : "<i>the</i> sky"}});
    stored.ledger.close(stored.study.hash());
    AnalysisPage page(stored.store, stored.study.hash());
    page.resize(1100, 900);
    page.show();
    QVERIFY(opens(page));
    QVERIFY(page.evidence()->questionnaires->isVisible());
    const QString said = saidBy(page.evidence()->questionnaires).join('\n');
    QVERIFY2(said.contains("Do you wear glasses?") && said.contains("3 answers · yes: 1 · no: 2"), qPrintable(said));
    QVERIFY2(said.contains("3 answers, median 4.0 · 1: 0 · 2: 1 · 3: 0 · 4: 1 · 5: 1"), qPrintable(said));
    QVERIFY2(said.contains("“&lt;i&gt;the&lt;/i&gt; sky”"), qPrintable(said));
    QVERIFY(!page.evidence()->questionnaires->method().isEmpty());
  }

  // Above the figures: the model, what is known of how the pictures were made, and plainly what is not.
  void whatIsNotKnownIsSaid() {
    Protocol p = sample::protocol(4);
    p.model = "FLUX.1-dev";
    for (StudyComparison& c : p.comparisons) c.attested = {{"imported", true}, {"pixels", QJsonObject{{"width", 1}, {"height", 1}}}};
    Stored stored(folder_.path(), p, 2);
    stored.ledger.close(stored.study.hash());
    AnalysisPage page(stored.store, stored.study.hash());
    page.show();
    QVERIFY(opens(page));
    for (const char* part : {"Model: FLUX.1-dev.", "Known of all 6 comparisons: pixels", "Not known: starting noise, recipe, weights of the model",
                             "is not proved: it is the experimenter's word"})
      QVERIFY2(page.attested().contains(part) && saidBy(&page).join('\n').contains(page.attested()), qPrintable(page.attested()));
  }

  void thePageShowsTheFiguresOfTheAnalysis() {
    Protocol p = everyKind();
    p.exclusion.min_gold_rate = 0, p.exclusion.min_median_ms = 500;    // who answers at random may miss the gold; only haste is to count
    Stored stored(folder_.path(), p, 5, 0.55);
    answerHastily(stored);
    stored.ledger.close(stored.study.hash());
    AnalysisPage page(stored.store, stored.study.hash());
    page.show();
    QSignalSpy opened(&page, &AnalysisPage::opened), failed(page.model(), &ui::AnalysisModel::failed);
    page.unlock()->field()->setText("wrong");
    QTest::keyClick(page.unlock()->field(), Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
    QVERIFY(saidBy(&page).join('\n').contains("the passphrase is wrong"));
    page.unlock()->field()->setText(sample::kPassphrase);
    QTest::keyClick(page.unlock()->field(), Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
    const QJsonObject analysis = page.model()->study().analysis;
    QCOMPARE(analysis["excluded"].toArray().size(), 1);
    for (const bool excluding : {true, false}) {
      page.exclusions()->setChecked(excluding);
      const QJsonObject part = analysis[excluding ? "with_exclusions" : "without_exclusions"].toObject();
      const AnalysisEvidence& e = *page.evidence();
      std::size_t row = 0;
      for (const QJsonValue& f : part["detection"].toArray()) {
        QCOMPARE(e.detection->rows().at(row).value, f["detection"].toDouble() * 100);
        QCOMPARE(e.detection->rows().at(row).high, f["detection_interval"][1].toDouble() * 100);
        row += 1 + (row + 1 < e.detection->rows().size() && e.detection->rows()[row + 1].hollow);
      }
      QCOMPARE(row, e.detection->rows().size());
      const QJsonArray abilities = part["preference"]["abilities"].toArray();
      for (qsizetype i = 0; i < abilities.size(); ++i) QCOMPARE(e.preference->rows().at(static_cast<std::size_t>(i)).value, abilities[i].toObject()["value"].toDouble());
      QCOMPARE(e.people->rows().size(), static_cast<std::size_t>(part["people"].toInt()));
      QCOMPARE(e.times->rows().size(), static_cast<std::size_t>(part["response_times"].toArray().size()));
      QCOMPARE(e.rating->rows().at(0).value, part["rating"]["scores"][0]["mos"].toDouble());
      QCOMPARE(page.verdicts()->count(), 2);
      QCOMPARE(saidBy(&page).join('\n').contains("Not the decision that was planned"), !excluding);
      QVERIFY(saidBy(page.verdicts()).join('\n').contains(verdictHtml(part["decisions"][0].toString())));
    }
    for (Card* card : page.evidence()->shown()) QVERIFY2(card->method().contains("Checked against"), qPrintable(card->note()));
    QCOMPARE(page.evidence()->shown().size(), 12u);   // all but the metrics
  }

  void whereEverybodyIsExcludedThatIsSaid() {
    Protocol p = everyKind();
    p.exclusion.min_gold_rate = 0, p.exclusion.min_median_ms = 500;
    Stored stored(folder_.path(), p, 0);
    answerHastily(stored);
    stored.ledger.close(stored.study.hash());
    AnalysisPage page(stored.store, stored.study.hash());
    page.show();
    QVERIFY(opens(page));
    QVERIFY2(saidBy(&page).join('\n').contains("flag everybody who answered"), qPrintable(saidBy(&page).join('\n')));
    QVERIFY(saidBy(page.verdicts()).join('\n').contains("has no answers that count"));
    page.exclusions()->setChecked(false);
    QVERIFY(saidBy(&page).join('\n').contains("1 person, "));
  }

  // The style goes through all widgets that it knew: one that is deleted meanwhile is visited all the same.
  void aChangeOfThemeDeletesNothingThatTheStyleKnows() {
    Stored stored(folder_.path());
    stored.ledger.close(stored.study.hash());
    AnalysisPage page(stored.store, stored.study.hash());
    page.show();
    QVERIFY(opens(page));
    for (const bool dark : {true, false}) {
      std::vector<QPointer<QWidget>> known;
      for (QWidget* widget : page.findChildren<QWidget*>()) known.emplace_back(widget);
      applyTheme(*qApp, dark);
      QVERIFY(std::all_of(known.begin(), known.end(), [](const auto& widget) { return widget; }));
      QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
      QCOMPARE(page.verdicts()->count(), 2);
    }
  }

  void metricsAreOpenedFromATable() {
    Stored stored(folder_.path(), sample::protocol(30), 4, 0.6);
    stored.ledger.close(stored.study.hash());
    AnalysisPage page;
    page.show();
    QSignalSpy opened(&page, &AnalysisPage::opened), failed(page.model(), &ui::AnalysisModel::failed);
    page.openStore(stored.store, stored.study.hash(), stored.study.open(sample::kPassphrase));
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
    QFile table(folder_.filePath("metrics.csv"));
    QVERIFY(table.open(QIODevice::WriteOnly));
    table.write("comparison,variant,lpips,psnr,category\n");
    for (int c = 0; c < 5; ++c)
      for (const char* variant : {"bnb-nf4", "gguf-q4_k"})
        table.write(QStringLiteral("c%1,%2,%3,%4,%5\n").arg(c).arg(QLatin1String(variant)).arg(0.1 * c).arg(30 - c * c).arg(c % 2 ? "animals" : "rooms").toUtf8());
    table.close();
    page.resize(1000, 500);
    page.model()->openMetrics(table.fileName());
    const AnalysisEvidence& e = *page.evidence();
    QTRY_VERIFY(!e.metrics->visibleRegion().isEmpty());               // it comes into sight
    QCOMPARE(e.metrics->rows().size(), 2u);
    QVERIFY(!e.metrics->isHidden() && e.shown().size() == 11u);
    auto* category = e.metrics->findChildren<QComboBox*>().at(1);
    QCOMPARE(category->currentData().toString(), QStringLiteral("all"));
    const double all = e.metrics->rows()[0].value;
    category->setCurrentIndex(category->findData(QStringLiteral("animals")));
    QVERIFY(e.metrics->rows()[0].value != all);
    page.model()->openMetrics("/nowhere.csv");
    QCOMPARE(failed.count(), 1);
    QVERIFY(saidBy(&page).join('\n').contains("/nowhere.csv cannot be read"));
  }

  // What people did not see becomes a policy that the policy library takes, and the report is written as its name says.
  void policyAndReportAreSaved() {
    Protocol p = ablationProtocol(sample::protocol(12), layerGroups("attn,ff+proj_out"), "bnb-nf4");
    Stored stored(folder_.path(), p, 2, 0.9);
    stored.ledger.close(stored.study.hash());
    AnalysisPage page;
    page.show();
    QSignalSpy opened(&page, &AnalysisPage::opened), saved(page.model(), &ui::AnalysisModel::saved), failed(page.model(), &ui::AnalysisModel::failed);
    page.openStore(stored.store, stored.study.hash(), stored.study.open(sample::kPassphrase));
    QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
    QVERIFY(button(page, "Save as policy…"));
    const QString policy = folder_.filePath("seen.json"), pdf = folder_.filePath("r.pdf"), html = folder_.filePath("r.html");
    page.model()->savePolicy(policy);
    page.model()->saveReport(pdf);
    page.model()->saveReport(html);
    QCOMPARE(saved.count(), 3);
    QString problem;
    const auto read = ui::policyFromJson(readFile(policy), {}, &problem);
    QVERIFY2(read && read->policy.base == "bf16" && read->about.contains("ff+proj_out"), qPrintable(problem));
    QVERIFY(readFile(pdf).startsWith("%PDF-1.") && readFile(html).startsWith("<!DOCTYPE html>"));
    page.model()->saveReport("/proc/nowhere.pdf");
    QVERIFY(failed.count() == 1 && failed[0][0].toString().contains("/proc/nowhere.pdf cannot be written"));
    QVERIFY(saidBy(&page).join('\n').contains("/proc/nowhere.pdf"));
  }

  void anEmptyStudyAndOneAnswerLookRight() {
    for (const int people : {0, 1}) {
      Protocol p = sample::protocol(2);
      p.blocks.resize(1);
      p.blocks[0].gold = p.blocks[0].null = p.blocks[0].repeats = 0;
      Stored stored(folder_.path(), p, people, 1);
      stored.ledger.close(stored.study.hash());
      AnalysisPage page;
      page.show();
      QSignalSpy opened(&page, &AnalysisPage::opened);
      page.openStore(stored.store, stored.study.hash(), stored.study.open(sample::kPassphrase));
      QTRY_COMPARE_WITH_TIMEOUT(opened.count(), 1, 30000);
      QCOMPARE(saidBy(&page).join('\n').contains("Nobody has answered"), people == 0);
      QCOMPARE(page.evidence()->shown().empty(), people == 0);
      QVERIFY(!page.grab().isNull());
    }
  }

  void whatWasNeverShownGoesWithItsPage() {
    QPointer<ForestChart> chart;
    {
      AnalysisEvidence evidence;
      chart = evidence.detection;
      QVERIFY(chart);
    }
    QVERIFY(!chart);
  }

  void aHugeStudyStaysQuick() {
    AnalysisEvidence evidence;
    Protocol p = sample::protocol();
    QElapsedTimer timer;
    timer.start();
    evidence.setPart(syntheticPart(1000, 40), p);
    evidence.resize(1000, 4000);
    QVERIFY(!evidence.grab().isNull());
    QVERIFY2(timer.elapsed() < 6000, qPrintable(QString::number(timer.elapsed())));
    QCOMPARE(evidence.people->rows().size(), 1000u);
    QVERIFY(evidence.people->height() < 600);
    QVERIFY(std::isinf(evidence.dprime->rows()[0].high));
  }

  void theThemeMayChangeAtAnyTime() {
    AnalysisEvidence evidence;
    evidence.setPart(syntheticPart(4, 2), sample::protocol());
    applyTheme(*qApp, true);
    QVERIFY(!evidence.grab().isNull());
    applyTheme(*qApp, false);
  }

  void numbersAreQuietAndClausesApart() {
    const QString html = verdictHtml(QStringLiteral("`a<b` is noticeable (spot: 9/9, B (C) d); it is judged worse than bf16 (x)."));
    QVERIFY2(html.startsWith("<b>a&lt;b</b> is noticeable <span") && html.contains("(spot: 9/9, B (C) d)</span>;<br>it is judged"), qPrintable(html));
  }
};

QTEST_MAIN(StudyViewsTest)
#include "study_views_test.moc"
