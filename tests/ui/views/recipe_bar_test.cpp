// The recipe of models of different families: what is offered, what is sent, and what the blind tiles do not say.
#include "tests/ui/fake_engine.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/compare_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/download_dialog.h"
#include "ui/views/image_grid.h"
#include "ui/views/main_window.h"
#include "ui/views/precision_panel.h"
#include "ui/views/question_panel.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/recipe_more.h"
#include "ui/views/result_entries.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QCompleter>
#include <QDoubleSpinBox>
#include <QImage>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

using namespace quantspot;
using namespace quantspot::views;

namespace {

struct Bench {
  Bench() : engine(ui::fakeEngine()), session((store.open(QStringLiteral(":memory:")), &engine), &store), window(&session) {
    window.resize(1280, 800);
    window.show();
    session.connectEngine();
  }
  bool ready() { return QTest::qWaitFor([this] { return session.traits().has_value() && page().precisionPanel()->generateButton()->isEnabled(); }); }
  bool choose(const QString& model) {
    auto& models = combo("Model");
    models.setCurrentIndex(models.findData(model));
    Q_EMIT models.activated(models.currentIndex());
    return QTest::qWaitFor([this] { return session.traits().has_value(); });
  }
  ComparePage& page() { return *window.comparePage(); }
  RecipeBar& bar() { return *page().recipeBar(); }
  RecipeMore& more() { return *bar().more(); }
  QComboBox& combo(const char* name) { return child<QComboBox>(name); }
  template <class T>
  T& child(const char* name) {
    for (T* one : bar().findChildren<T*>())
      if (one->accessibleName() == QLatin1String(name)) return *one;
    qFatal("no %s", name);
  }

  study::StudyStore store;
  ui::EngineClient engine;
  ui::CompareSession session;
  MainWindow window;
};

QStringList itemsOf(const QComboBox& combo) {
  QStringList items;
  for (int i = 0; i < combo.count(); ++i) items << combo.itemText(i);
  return items;
}

}  // namespace

class RecipeBarTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

  QString picture(int width, int height) {
    const QString path = folder_.filePath(QStringLiteral("%1x%2.png").arg(width).arg(height));
    QImage image(width, height, QImage::Format_RGB32);
    image.fill(Qt::red);
    for (int y = 0; y < height; ++y)
      for (int x = width / 2; x < width; ++x) image.setPixel(x, y, qRgb(0, 0, 255));
    image.save(path);
    return path;
  }

 private Q_SLOTS:
  void initTestCase() { applyTheme(*qApp, false); }

  void theFamilySaysWhatIsOffered() {
    Bench bench;
    QVERIFY(bench.ready());
    QCOMPARE(itemsOf(bench.combo("Scheduler")), QStringList({QStringLiteral("the model's own: Flow matching, Euler"),
        QStringLiteral("Flow matching, Euler"), QStringLiteral("Flow matching, Heun")}));
    QVERIFY(!bench.child<QDoubleSpinBox>("True CFG").isHidden());
    QVERIFY(bench.child<QSpinBox>("CLIP skip").isHidden());
    QVERIFY(bench.child<QToolButton>("Start from a picture").isHidden());
    QVERIFY(bench.choose(QStringLiteral("half")));
    QCOMPARE(itemsOf(bench.combo("Scheduler")).last(), QStringLiteral("Euler"));
    QVERIFY(bench.child<QDoubleSpinBox>("True CFG").isHidden());       // guidance is its second pass
    QVERIFY(!bench.child<QSpinBox>("CLIP skip").isHidden());
    QVERIFY(!bench.child<QToolButton>("Start from a picture").isHidden());
    QCOMPARE(bench.bar().recipe().width, 512);
  }

  void whatIsMissingIsSaidBeforeAnythingRuns() {
    Bench bench;
    QVERIFY(bench.ready());
    QVERIFY(itemsOf(bench.combo("Model")).contains(QStringLiteral("Half (not complete)")));
    QVERIFY(bench.choose(QStringLiteral("half")));
    QVERIFY2(bench.bar().problem().contains(QStringLiteral("vae is missing")), qPrintable(bench.bar().problem()));
    QVERIFY(!bench.page().precisionPanel()->generateButton()->isEnabled());
  }

  void sizesAreThoseOfTheModel() {
    Bench bench;
    QVERIFY(bench.ready());
    auto& size = bench.combo("Size");
    size.setEditText(QStringLiteral("136x128"));
    QCOMPARE(bench.bar().problem(), QStringLiteral("Sizes are multiples of 16: 128 or 144 instead of 136"));
    QVERIFY(bench.choose(QStringLiteral("classes")));
    QCOMPARE(size.currentText(), QStringLiteral("256×256"));
    QCOMPARE(size.count(), 1);                                         // it draws squares alone
    size.setEditText(QStringLiteral("136x128"));                       // its multiple is 8
    bench.bar().setTraits(*bench.session.traits());                    // as an engine that was started again tells them
    QCOMPARE(size.currentText(), QStringLiteral("136x128"));
    QCOMPARE(bench.bar().problem(), QString());
  }

  void aClassIsChosenByItsName() {
    Bench bench;
    QVERIFY(bench.ready());
    QVERIFY(bench.choose(QStringLiteral("classes")));
    auto& prompt = bench.child<QLineEdit>("Prompt");
    QVERIFY(prompt.completer());
    prompt.completer()->setCompletionPrefix(QStringLiteral("SHARK"));
    QCOMPARE(prompt.completer()->completionCount(), 1);
    prompt.setText(prompt.completer()->currentCompletion());
    QCOMPARE(bench.bar().recipe().prompt, std::string("2"));
    prompt.setText(QStringLiteral("goldfish"));                        // the engine knows names, too
    QCOMPARE(bench.bar().recipe().prompt, std::string("goldfish"));
    QVERIFY(!bench.child<QLineEdit>("Negative prompt").isEnabled());
    QVERIFY(bench.choose(QStringLiteral("default")));
    QCOMPARE(bench.bar().recipe().prompt, std::string("a fox on a yellow background"));
  }

  void theBuiltInModelOffersWhatItKnows() {
    Bench bench;
    QVERIFY(bench.ready() && bench.choose(QStringLiteral("default")));
    auto& prompt = bench.child<QLineEdit>("Prompt");
    QVERIFY(prompt.completer());
    prompt.completer()->setCompletionPrefix(QStringLiteral("Dragon F"));
    QCOMPARE(prompt.completer()->currentCompletion(), QStringLiteral("a dragon face on a yellow background"));
    prompt.completer()->setCompletionPrefix(QStringLiteral("grapes"));
    QCOMPARE(prompt.completer()->currentCompletion(), QStringLiteral("grapes on a yellow background"));
    QVERIFY2(prompt.toolTip().contains(QStringLiteral("1,852")), qPrintable(prompt.toolTip()));
    QVERIFY(bench.choose(QStringLiteral("half")));                     // it may know anything
    QVERIFY(!prompt.completer() && prompt.toolTip().isEmpty());
  }

  void aStartPictureIsCutToTheSize() {
    Bench bench;
    QVERIFY(bench.ready() && bench.choose(QStringLiteral("half")));
    QVERIFY(!bench.bar().recipe().strength);
    bench.more().setPicture(picture(300, 100));
    bench.combo("Size").setEditText(QStringLiteral("64x64"));
    QCOMPARE(bench.bar().recipe().strength, std::optional(0.8));
    const QImage sent = QImage::fromData(bench.bar().options().image, "PNG");
    QCOMPARE(sent.size(), QSize(64, 64));
    QVERIFY(qRed(sent.pixel(8, 32)) > 200 && qBlue(sent.pixel(56, 32)) > 200);   // from the middle
    bench.more().setPicture(folder_.filePath(QStringLiteral("none.png")));
    QVERIFY2(bench.more().problem().contains(QStringLiteral("none.png cannot be read")), qPrintable(bench.more().problem()));
    bench.more().setPicture({});
    QVERIFY(bench.bar().options().image.isEmpty() && !bench.bar().recipe().strength);
  }

  void everythingThatIsSetIsSent() {
    Bench bench;
    QVERIFY(bench.ready() && bench.choose(QStringLiteral("half")));
    bench.combo("Scheduler").setCurrentIndex(2);
    QStringList offloads;
    for (int i = 0; i < bench.combo("Offload").count(); ++i) offloads << bench.combo("Offload").itemData(i).toString();
    QCOMPARE(offloads, (QStringList{"none", "model", "group", "sequential"}));
    bench.combo("Offload").setCurrentIndex(3);
    bench.child<QSpinBox>("CLIP skip").setValue(1);
    bench.child<QLineEdit>("Negative prompt").setText(QStringLiteral("blur"));
    bench.more().addLora(QStringLiteral("/models/style.safetensors"), 0.7);
    const protocol::Recipe recipe = bench.bar().recipe();
    QCOMPARE(recipe.scheduler, std::string("euler"));
    QCOMPARE(recipe.clip_skip, 1);
    QCOMPARE(recipe.negative_prompt, std::optional<std::string>("blur"));
    QCOMPARE(recipe.true_cfg, 1.0);
    const ui::RunOptions options = bench.bar().options();
    QCOMPARE(options.offload, QStringLiteral("sequential"));
    QCOMPARE(options.loras.size(), std::size_t{1});
    QCOMPARE(options.loras[0].scale, 0.7);
    bench.bar().setRecipe(recipe);
    QCOMPARE(bench.bar().recipe(), recipe);
  }

  // Before the answer no tile and no question says what the variants share, and after it the effect of each LoRA is told.
  void loraAndSchedulerStayAwayFromTheTiles() {
    Bench bench;
    QVERIFY(bench.ready());
    bench.combo("Scheduler").setCurrentIndex(2);
    bench.more().addLora(QStringLiteral("/models/watercolour.safetensors"), 0.7);
    bench.more().addLora(QStringLiteral("/models/nothing.safetensors"));
    bench.page().precisionPanel()->generateButton()->click();
    QTRY_COMPARE(bench.session.trial()->state(), ui::TrialController::State::Open);
    for (QWidget* blind : std::initializer_list<QWidget*>{bench.page().grid(), bench.page().questionPanel()})
      for (const QString& said : saidBy(blind) + saidToReaders(blind))
        for (const char* name : {"watercolour", "nothing", "Heun", "heun", "safetensors"})
          QVERIFY2(!said.contains(QLatin1String(name)), qPrintable(said));
    bench.page().grid()->setFocus();
    QTest::keyClick(bench.page().grid(), Qt::Key_A);
    for (int i = 0; i < bench.session.trial()->slotCount(); ++i) QTest::keyClick(bench.page().grid(), static_cast<Qt::Key>(Qt::Key_1 + i));
    bench.page().answer();
    for (const ResultEntry& entry : resultEntries(bench.session)) {
      QVERIFY(entry.figures.notes.contains(QStringLiteral("watercolour × 0.7: moves outputs by 3.1\u2009%")));
      QVERIFY(entry.figures.notes.contains(QStringLiteral("nothing × 1: does nothing here")));
    }
  }

  void anAutoChoiceIsAddedByItsLimit() {
    Bench bench;
    QVERIFY(bench.ready());
    QMenu* menu = bench.page().precisionPanel()->autoButton()->menu();
    QVERIFY(menu && menu->actions().size() == 3);
    for (QDoubleSpinBox* spin : menu->findChildren<QDoubleSpinBox*>())
      if (spin->accessibleName().contains(QStringLiteral("within"))) spin->setValue(1.5), spin->parentWidget()->findChild<QPushButton*>()->click();
    QVERIFY(bench.session.precisions()->checkedIds().contains(QStringLiteral("auto?memory=1.5GiB")));
    menu->actions().first()->trigger();
    QVERIFY(bench.session.precisions()->checkedIds().contains(QStringLiteral("auto")));
  }

  void aDownloadIsAskedForFromTheListOfModels() {
    Bench bench;
    QVERIFY(bench.ready());
    auto& models = bench.combo("Model");
    models.setCurrentIndex(models.count() - 1);
    Q_EMIT models.activated(models.count() - 1);
    QCOMPARE(models.currentIndex(), 0);                                // the model stays
    DownloadDialog* dialog = bench.page().downloadDialog();
    QVERIFY(dialog && dialog->isVisible() && !dialog->isModal());
    QVERIFY(!dialog->startButton()->isEnabled());
    dialog->repository()->setText(QStringLiteral("gated/model"));
    dialog->startButton()->click();
    QTRY_VERIFY(dialog->said().contains(QStringLiteral("accept its licence")));
    dialog->repository()->setText(QStringLiteral("some/model"));
    QSignalSpy listed(&bench.session, &ui::CompareSession::modelsChanged);
    dialog->startButton()->click();
    QTRY_VERIFY(dialog->said().contains(QStringLiteral("some/model is in the list of models")));
    QVERIFY(listed.count() > 0 || listed.wait());
  }
};

QTEST_MAIN(RecipeBarTest)
#include "recipe_bar_test.moc"
