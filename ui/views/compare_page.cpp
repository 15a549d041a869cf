#include "ui/views/compare_page.h"

#include "ui/models/compare_session.h"
#include "ui/models/model_download.h"
#include "ui/models/precision_names.h"
#include "study/ratings.h"
#include "ui/views/answer_form.h"
#include "ui/views/charts_panel.h"
#include "ui/views/download_dialog.h"
#include "ui/views/eyes_chart.h"
#include "ui/views/footer.h"
#include "ui/views/image_grid.h"
#include "ui/views/policy_editor.h"
#include "ui/views/precision_panel.h"
#include "ui/views/question_panel.h"
#include "ui/views/recipe_bar.h"
#include "ui/views/result_panel.h"
#include "ui/views/view_bar.h"

#include <QCoreApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPushButton>
#include <QStackedLayout>
#include <QTimer>

namespace quantspot::views {
namespace {

using ui::TrialController;

constexpr int kTiles = 4, kSideWidth = 280, kResultAfterMs = 900;   // figures and charts wait until the chips have turned

// What to do, before there are pictures.
QString hintOf(study::Task task) {
  const QString first = QStringLiteral("Press Generate: the same picture at each ticked precision, without names.\n");
  switch (task) {
    case study::Task::NameEach: return first + QStringLiteral("Then say which is which.");
    case study::Task::Rate: return first + QStringLiteral("Then say how good each is, from 1 to 5.");
    case study::Task::SpotOne: break;
  }
  return QStringLiteral("Press Generate: bf16 several times and one ticked precision, without names.\nThen say which one that is.");
}

QString noticeOf(study::Task task) {
  switch (task) {
    case study::Task::NameEach: return QStringLiteral("The same prompt at each precision. Which is which?");
    case study::Task::Rate: return QStringLiteral("The same prompt at each precision. How good is each?");
    case study::Task::SpotOne: break;
  }
  return QStringLiteral("All the same but one. Which?");
}

// Of the trial whose result is on screen.
study::Task taskShown(ui::CompareSession& session) {
  if (session.trial()->state() != TrialController::State::Idle) return session.trial()->task();
  const auto past = session.pastTrials();
  return past.empty() ? study::Task::NameEach : past.back().task;
}

}  // namespace

ComparePage::ComparePage(ui::CompareSession* session, QWidget* parent)
    : QWidget(parent), session_(session), recipe_(new RecipeBar), precisions_(new PrecisionPanel(session->precisions())), grid_(new ImageGrid),
      question_(new QuestionPanel(session->trial())), result_(new ResultPanel), charts_(new ChartsPanel), footer_(new Footer),
      middle_(new QWidget), side_(new QStackedLayout) {
  layOut();
  connectRecipe();
  connectSession();
  connectTrial();
  connectResult();
  grid_->setHint(hintOf(question_->task()));
  footer_->setNotice(QStringLiteral("Starting the engine…"));
  refreshControls();
}

void ComparePage::layOut() {
  auto* pictures = new QVBoxLayout;
  pictures->setSpacing(0);
  pictures->addWidget(grid_, 1), pictures->addWidget(new ViewBar(grid_));
  auto* side = new QFrame;
  side->setObjectName(QStringLiteral("sidePanel"));
  side->setProperty("side", "right");
  side->setFixedWidth(kSideWidth);
  auto* padded = new QVBoxLayout(side);
  padded->setContentsMargins(17, 14, 17, 16);
  padded->addLayout(side_);
  side_->addWidget(question_), side_->addWidget(result_);
  auto* middle = new QHBoxLayout(middle_);
  middle->setContentsMargins(0, 0, 0, 0), middle->setSpacing(0);
  middle->addWidget(precisions_), middle->addLayout(pictures, 1), middle->addWidget(side);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addWidget(recipe_), layout->addWidget(middle_, 1), layout->addWidget(charts_), layout->addWidget(footer_);
}

void ComparePage::connectRecipe() {
  connect(recipe_, &RecipeBar::changed, this, &ComparePage::refreshControls);
  connect(recipe_, &RecipeBar::modelChosen, session_, &ui::CompareSession::setModel);
  connect(recipe_, &RecipeBar::openWanted, session_, &ui::CompareSession::openModel);
  connect(recipe_, &RecipeBar::downloadWanted, this, &ComparePage::openDownload);
  connect(session_, &ui::CompareSession::traitsChanged, this, [this] { if (session_->traits()) recipe_->setTraits(*session_->traits()); });
  connect(precisions_, &PrecisionPanel::autoWanted, this, [this](const QString& id) {
    session_->precisions()->addPolicy(id);
    session_->precisions()->setChecked(id, true);
    precisions_->scrollTo(id);
  });
  connect(session_->precisions(), &ui::PrecisionListModel::checkedChanged, this, &ComparePage::refreshControls);
  connect(session_->precisions(), &QAbstractItemModel::modelReset, this, &ComparePage::refreshControls);
  connect(question_, &QuestionPanel::taskChosen, this, &ComparePage::refreshControls);
  connect(precisions_, &PrecisionPanel::generate, this, &ComparePage::generate);
  connect(precisions_, &PrecisionPanel::policyWanted, this, &ComparePage::editPolicy);
  connect(precisions_, &PrecisionPanel::policyDropped, session_, &ui::CompareSession::removePolicy);
  connect(footer_, &Footer::cancel, session_, &ui::CompareSession::cancel);
}

void ComparePage::connectSession() {
  using ui::CompareSession;
  connect(session_, &CompareSession::modelsChanged, this, [this] {
    connected_ = true;
    recipe_->setModels(session_->models(), session_->model());
    footer_->setNotice({});
    refreshControls();
  });
  connect(session_, &CompareSession::modelInspected, this, [this] { recipe_->setEmbedsGuidance(session_->embedsGuidance().value_or(true)); });
  connect(session_, &CompareSession::statusChanged, this, [this](const QString& text) {
    if (session_->isBusy()) footer_->setProgress(text, session_->fraction());
  });
  connect(session_, &CompareSession::busyChanged, this, [this] {
    if (session_->isBusy()) footer_->setProgress(session_->statusText(), 0);
    else footer_->endProgress(), grid_->setHint(hintOf(question_->task()));   // cancelled or failed: what to do is there again
    refreshControls();
  });
  connect(session_->scan(), &ui::SensitivityScan::changed, this, &ComparePage::refreshControls);
  connect(session_, &CompareSession::cancelled, this, [this] { footer_->setNotice(QStringLiteral("Cancelled")); });
  connect(session_, &CompareSession::failed, this, [this](const QString& message) { footer_->setNotice(message, true); });
  connect(session_, &CompareSession::engineLost, this, [this](const QString& reason) {
    if (!session_->isBusy()) footer_->setNotice(reason, true);
  });
  connect(session_, &CompareSession::variantFailed, precisions_, &PrecisionPanel::addFailure);
  connect(session_, &CompareSession::trialOpened, this, &ComparePage::onTrialOpened);
  connect(session_, &CompareSession::revealed, this, &ComparePage::onRevealed);
  connect(session_, &CompareSession::pastOpened, this, &ComparePage::onPastOpened);
  connect(session_, &CompareSession::scoresChanged, this, &ComparePage::showResult);
  const auto showScore = [this] {
    const study::Task task = question_->task();
    footer_->setScore(session_->score()->text(task, session_->model()), session_->score()->tip(task, session_->model()));
    if (!session_->isBusy()) grid_->setHint(hintOf(task));
  };
  connect(session_, &CompareSession::modelInspected, this, showScore);   // another model
  connect(session_->score(), &ui::ScoreSummary::changed, this, showScore);
  connect(question_, &QuestionPanel::taskChosen, this, showScore);
  showScore();
}

void ComparePage::connectTrial() {
  TrialController* trial = session_->trial();
  connect(trial, &TrialController::choicesChanged, this, &ComparePage::onChoices);
  connect(trial, &TrialController::stateChanged, this, &ComparePage::refreshControls);
  connect(question_->answerButton(), &QPushButton::clicked, this, &ComparePage::answer);
  connect(question_->form(), &AnswerForm::named, this, &ComparePage::armNext);
  connect(grid_, &ImageGrid::chipDropped, trial, &TrialController::choose);
  connect(grid_, &ImageGrid::precisionKey, this, &ComparePage::onKey);
  connect(grid_, &ImageGrid::guessCleared, this, [trial](int tile) { trial->choose(tile, {}), trial->rate(tile, 0); });
  connect(grid_, &ImageGrid::armedChanged, this, [this, trial](int tile) {
    question_->form()->setArmed(tile);
    if (tile < 0 || trial->task() != study::Task::SpotOne) return;
    trial->pick(tile);
    grid_->arm(-1);
  });
}

void ComparePage::connectResult() {
  connect(result_, &ResultPanel::pointed, this, [this](int tile) {
    grid_->setMarked(tile);
    showDifference(tile);
  });
  connect(result_, &ResultPanel::viewChosen, this, [this] {
    if (result_->view() > 0) grid_->setComparing(static_cast<ImageGrid::Comparing>(result_->view() - 1));
    showDifference(-1);
  });
  connect(result_, &ResultPanel::askAgain, this, [this] { session_->askAgain(question_->task()); });
  connect(result_, &ResultPanel::next, this, &ComparePage::runNextSeed);
}

void ComparePage::refreshControls() {
  const int ticked = static_cast<int>(session_->precisions()->checkedIds().size());
  QString problem = !blocked_.isEmpty() ? blocked_ : connected_ ? recipe_->problem() : QString();
  if (problem.isEmpty() && connected_ && ticked < 2) problem = QStringLiteral("Tick two precisions or more");
  if (problem.isEmpty() && session_->scan()->isRunning()) problem = QStringLiteral("The policy window is measuring layers; wait, or cancel it there");
  precisions_->setProblem(problem);
  precisions_->setBusy(session_->isBusy() || !connected_, connected_ ? QStringLiteral("Generating…") : QStringLiteral("Starting…"));
  const TrialController::State state = session_->trial()->state();
  precisions_->setMain(state == TrialController::State::Idle && !session_->comparison());
  refreshEstimate();
}

void ComparePage::setBlocked(const QString& reason) {
  blocked_ = reason;
  refreshControls();
}

void ComparePage::editPolicy(const QString& text) {
  if (!policyEditor_) {
    policyEditor_ = new PolicyEditor(session_, this);
    connect(policyEditor_, &PolicyEditor::added, precisions_, &PrecisionPanel::scrollTo);
  }
  policyEditor_->setRecipe(recipe_->recipe());
  policyEditor_->open(text);
}

void ComparePage::importPolicy(const QString& file) {
  editPolicy({});
  policyEditor_->importFrom(file);
}

void ComparePage::openDownload() {
  if (!download_) {
    download_ = new DownloadDialog(new ui::ModelDownload(session_->engineCommand(), this), this);
    connect(download_, &DownloadDialog::downloaded, session_, &ui::CompareSession::refreshModels);
  }
  download_->open();
}

void ComparePage::refreshEstimate() { precisions_->setEstimate(session_->estimateText(question_->task(), recipe_->recipe())); }

// A blind screen holds nothing of the last reveal, hidden or not.
void ComparePage::startBlind() {
  setChartsOnly(false);
  charts_->hideAtOnce();
  charts_->setFigures({});
  side_->setCurrentWidget(question_);
  result_->clear();
}

void ComparePage::generate() {
  if (session_->isBusy() || !precisions_->generateButton()->isEnabled()) return;
  startBlind();
  precisions_->clearFailures();
  grid_->setImages({});
  grid_->setHint(QStringLiteral("The pictures appear together, in an order drawn by chance."));
  session_->generate(question_->task(), recipe_->recipe(), kTiles, recipe_->options());
}

void ComparePage::onTrialOpened() {
  std::vector<QImage> images;
  ui::SlotListModel* tiles = session_->trial()->slotModel();
  for (int i = 0; i < tiles->rowCount(); ++i) images.push_back(tiles->index(i).data(ui::SlotListModel::ImageRole).value<QImage>());
  startBlind();
  grid_->setImages(images);
  grid_->setFocus();
  footer_->setNotice(noticeOf(session_->trial()->task()));
  if (isVisible()) QTimer::singleShot(0, session_->trial(), &TrialController::imagesShown);
}

void ComparePage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  QTimer::singleShot(0, session_->trial(), &TrialController::imagesShown);
}

void ComparePage::onChoices() {
  const TrialController* trial = session_->trial();
  if (trial->state() != TrialController::State::Open) return;
  for (int slot = 0; slot < grid_->count(); ++slot) {
    const bool picked = trial->task() == study::Task::SpotOne && trial->picked() == slot;
    const int grade = trial->grade(slot);
    grid_->setGuess(slot, picked ? QStringLiteral("this one") : grade ? QStringLiteral("%1 %2").arg(grade).arg(study::gradeWord(grade).toLower())
                                                                      : ui::shortName(trial->choice(slot)));
  }
}

// A digit while a tile is armed: the precision of that place, or the grade.
void ComparePage::onKey(int tile, int number) {
  TrialController* trial = session_->trial();
  const QStringList options = trial->options();
  const bool grades = trial->task() == study::Task::Rate;
  if (number > (grades ? 5 : options.size())) return;
  if (grades) trial->rate(tile, number);
  else trial->choose(tile, options[number - 1]);
  armNext();
}

// After a name or grade by keys: on to the next tile that has none, so that "A 3 1 4 2" answers for all four.
void ComparePage::armNext() {
  if (grid_->armed() < 0) return;
  for (int step = 1; step <= grid_->count(); ++step) {
    const int tile = (grid_->armed() + step) % grid_->count();
    if (session_->trial()->choice(tile).isEmpty() && session_->trial()->grade(tile) == 0) return grid_->arm(tile);
  }
  grid_->arm(-1);
}

void ComparePage::answer() {
  TrialController* trial = session_->trial();
  if (trial->state() != TrialController::State::Open) return;
  if (trial->canAnswer()) trial->answer();
  else footer_->setNotice(question_->lacking());
}

void ComparePage::onRevealed() {
  std::vector<TileTruth> truths;
  for (const ResultEntry& entry : resultEntries(*session_)) truths.push_back(entry.truth);
  grid_->reveal(truths);
  grid_->setFocus();                                   // the button that had it is gone
  footer_->setNotice({});
  revealing_ = true;
  QTimer::singleShot(kResultAfterMs, this, [this] {
    revealing_ = false;
    if (!session_->comparison()) return;               // asked again, or the next comparison has begun
    showResult();
    charts_->slideIn();
  });
}

void ComparePage::runNextSeed() { recipe_->nextSeed(), generate(); }

void ComparePage::readyForChange() {
  footer_->setNotice(QStringLiteral("The form holds this recipe and these precisions: change one thing and press Generate"));
  recipe_->focusPrompt();
}

void ComparePage::onPastOpened() {
  revealing_ = false;
  std::vector<TileTruth> truths;
  std::vector<QImage> images;
  for (const ResultEntry& entry : resultEntries(*session_)) truths.push_back(entry.truth), images.push_back(entry.image);
  grid_->setImages(images);
  grid_->showTruths(truths);
  precisions_->clearFailures();
  const ui::ComparisonResult* comparison = session_->comparison();
  const QString before = session_->model();
  if (session_->takeUp(*comparison) && session_->model() != before) recipe_->setModels(session_->models(), session_->model());
  recipe_->setRecipe(comparison->recipe);
  recipe_->setStartPicture(QImage::fromData(comparison->startPicture, "PNG"));
  for (const ui::SampleResult& one : comparison->samples)
    if (one.image.isNull()) precisions_->addFailure(one.sample.precision, one.sample.failure);
  footer_->setNotice({});
  showResult();
  charts_->slideIn();
  grid_->setFocus();
}

void ComparePage::showResult() {
  const ui::ComparisonResult* comparison = session_->comparison();
  if (!comparison || revealing_) return;
  const std::vector<ResultEntry> entries = resultEntries(*session_);
  const bool measured = std::any_of(entries.begin(), entries.end(), [](const ResultEntry& e) {
    return e.figures.scores.clip || e.figures.scores.psnr || !e.figures.scores.failures.isEmpty();
  });
  result_->show(session_->trial()->verdict(), session_->trial()->whyUncounted(), entries, !measured);
  side_->setCurrentWidget(result_);
  const int reference = referenceTile(entries);
  grid_->setReference(reference < 0 ? QImage() : entries[reference].image);
  charts_->setFigures(figuresOf(*comparison));
  const study::Task task = taskShown(*session_);
  charts_->eyes()->setRatings(task == study::Task::Rate ? session_->score()->ratings(comparison->model) : std::vector<study::RatingMean>());
  charts_->eyes()->setHitRate(session_->score()->hitRate(task));
  charts_->eyes()->setConfusion(session_->precisions()->ids(), session_->confusion());
  refreshControls();
}

void ComparePage::showDifference(int tile) {
  grid_->showDifference(tile >= 0 ? tile : result_->wantsDifference() ? ImageGrid::kAllTiles : ImageGrid::kNoTile);
}

void ComparePage::takeFocus() {
  if (grid_->count() > 0) grid_->setFocus();
  else recipe_->focusPrompt();
}

void ComparePage::setChartsOnly(bool only) {
  if (only == chartsOnly_ || (only && !session_->comparison())) return;
  chartsOnly_ = only;
  middle_->setVisible(!only), recipe_->setVisible(!only);
  charts_->setWholePage(only);
  charts_->setVisible(session_->comparison());
}

void ComparePage::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  const bool open = session_->trial()->state() == TrialController::State::Open;
  const bool inRecipe = focusWidget() && recipe_->isAncestorOf(focusWidget());
  if (key == Qt::Key_Return || key == Qt::Key_Enter) {
    if (open && !inRecipe) answer();
    else if (session_->comparison() && !inRecipe) result_->nextButton()->click();
    else generate();
  } else if (key == Qt::Key_X && session_->comparison()) {
    result_->nextView();
  } else if (open && !inRecipe && focusWidget() != grid_ && ((key >= Qt::Key_A && key <= Qt::Key_Z) || (key >= Qt::Key_0 && key <= Qt::Key_9))) {
    grid_->setFocus();                                 // a chip or a button had it: the keys go on
    QCoreApplication::sendEvent(grid_, event);
  } else if (key == Qt::Key_Escape && chartsOnly_) {
    setChartsOnly(false);
  } else {
    QWidget::keyPressEvent(event);
  }
}

}  // namespace quantspot::views
