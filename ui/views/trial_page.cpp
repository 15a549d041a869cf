#include "ui/views/trial_page.h"

#include "ui/models/trial_choices.h"
#include "ui/views/flow_layout.h"
#include "ui/views/image_grid.h"
#include "ui/views/ranking_strip.h"
#include "ui/views/screen_facts.h"
#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QJsonArray>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include <cmath>

namespace quantspot::views {
namespace {

using study::TrialKind;

constexpr double kZoomStep = 1.25, kPanStep = 60, kSliderStep = 0.02;

QFont scaled(const QFont& font, double by) {
  QFont result = font;
  result.setPointSizeF(font.pointSizeF() * by);
  return result;
}

QString keyName(int key) { return QKeySequence(key).toString(QKeySequence::NativeText); }

}  // namespace

TrialPage::TrialPage(ui::ParticipantSession* session, QWidget* parent)
    : QWidget(parent), session_(session), grid_(new ImageGrid), ranking_(new RankingStrip), question_(new QLabel), progress_(new QLabel),
      status_(new QLabel), answers_(new QHBoxLayout), tools_(new QHBoxLayout), save_(new QPushButton(tr("Save answer  ⏎"))),
      countdown_(new QTimer(this)) {
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Trial"));
  grid_->setFocusPolicy(Qt::NoFocus);                      // no picture has the focus: all keys are the page's
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addWidget(makeTop()), layout->addWidget(grid_, 1), layout->addWidget(makeBottom());
  connect(grid_, &ImageGrid::tileClicked, this, [this](int tile) {
    if (!choices_.empty() && tile < static_cast<int>(choices_.size()) && choices_[tile].answer.size() == 1 && choices_[tile].answer[0].isUpper())
      choose(choices_[tile].answer);
    else grid_->arm(-1);
    if (session_->trial().kind == TrialKind::Ranking) ranking_->place(QChar(u'A' + tile));
  });
  connect(ranking_, &RankingStrip::changed, this, &TrialPage::refresh);
  connect(save_, &QPushButton::clicked, this, &TrialPage::save);
  connect(session_, &ui::ParticipantSession::answerable, this, &TrialPage::refresh);
  connect(session_, &ui::ParticipantSession::timeUp, this, &TrialPage::showTimeUp);
  connect(session_, &ui::ParticipantSession::failed, this, [this](const QString& message) { say(message, true); });
  connect(session_, &ui::ParticipantSession::busyChanged, this, &TrialPage::showBusy);
  connect(session_, &ui::ParticipantSession::saved, this, [this] { acknowledged_ = true; });
  connect(countdown_, &QTimer::timeout, this, &TrialPage::refresh);
}

QWidget* TrialPage::makeTop() {
  auto* top = new QWidget;
  top->setObjectName(QStringLiteral("header")), top->setAttribute(Qt::WA_StyledBackground);
  auto* row = new QHBoxLayout(top);
  row->setContentsMargins(20, 10, 20, 10);
  question_->setFont(scaled(question_->font(), 1.4)), question_->setProperty("role", "title");
  question_->setWordWrap(true);
  progress_->setFont(scaled(progress_->font(), 1.1)), progress_->setProperty("role", "quiet");
  row->addWidget(question_, 1), row->addWidget(progress_);
  return top;
}

QWidget* TrialPage::makeBottom() {
  auto* bottom = new QWidget;
  bottom->setObjectName(QStringLiteral("footer")), bottom->setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(bottom);
  column->setContentsMargins(20, 10, 20, 10), column->setSpacing(8);
  auto* row = new QHBoxLayout;
  row->setSpacing(12);
  save_->setProperty("role", "main"), save_->setFocusPolicy(Qt::NoFocus), save_->setProperty("large", true);
  save_->setFont(scaled(save_->font(), 1.2));
  row->addLayout(answers_, 1), row->addWidget(ranking_, 1), row->addWidget(save_, 0, Qt::AlignVCenter);
  status_->setAlignment(Qt::AlignCenter), status_->setWordWrap(true);
  column->addLayout(row), column->addWidget(status_), column->addLayout(tools_);
  return bottom;
}

void TrialPage::makeChoices() {
  if (answerRow_) answerRow_->deleteLater();
  answerRow_ = new QWidget;
  auto* row = new FlowLayout(10, answerRow_);
  choices_.clear();
  for (const ui::TrialChoice& choice : ui::choicesOf(session_->trial())) {
    const QString key = keyName(choice.key);
    const bool named = choice.label.section(u' ', 0, 0) == key;         // "A is better"; of "Same" nobody would know that S is a key
    auto* button = new QPushButton(named ? choice.label : QStringLiteral("%1   [%2]").arg(choice.label, key));
    button->setCheckable(true), button->setFocusPolicy(Qt::NoFocus);
    button->setProperty("large", true), button->setFont(scaled(button->font(), 1.2));
    connect(button, &QPushButton::clicked, this, [this, answer = choice.answer] { choose(answer); });
    row->addWidget(button);
    choices_.push_back({choice.answer, choice.key, button});
  }
  answers_->addWidget(answerRow_);
}

void TrialPage::addTool(const QString& keys, const QString& text, std::function<void()> run) {
  auto* tool = new QToolButton;
  tool->setText(QStringLiteral("%1  %2").arg(keys, text));
  tool->setFocusPolicy(Qt::NoFocus);
  tool->setEnabled(run != nullptr);
  if (run) connect(tool, &QToolButton::clicked, this, run);
  toolRow_->layout()->addWidget(tool);
}

// Every key that does something now, with what it does; those that a click can do are buttons.
void TrialPage::makeTools() {
  if (toolRow_) toolRow_->deleteLater();
  toolRow_ = new QWidget;
  new FlowLayout(4, toolRow_);
  const study::Viewer& allowed = session_->viewer();
  const int pictures = grid_->count();
  const bool apart = pictures > 1 && grid_->mode() != ImageGrid::Mode::Cycle;
  if (apart && allowed.swap) addTool(QStringLiteral("1–%1").arg(pictures), tr("large, one in place of another"));
  if (apart && allowed.slider) addTool(QStringLiteral("L"), tr("slider (arrows)"), [this] { handleView(Qt::Key_L); });
  if (apart && allowed.flicker) addTool(QStringLiteral("K"), tr("flicker (arrows: rate)"), [this] { handleView(Qt::Key_K); });
  if (allowed.zoom) addTool(QStringLiteral("+ −"), tr("zoom"), [this] { handleView(Qt::Key_Plus); });
  if (allowed.zoom) addTool(QStringLiteral("← ↑ ↓ →"), tr("move"));
  if (apart || allowed.zoom) addTool(QStringLiteral("0"), tr("all, fitted"), [this] { handleView(Qt::Key_0); });
  if (apart && session_->trial().practice) addTool(QStringLiteral("V"), tr("differences from A (practice only)"), [this] { handleView(Qt::Key_V); });
  if (session_->trial().kind == TrialKind::Ranking) addTool(QStringLiteral("⌫"), tr("unplace the last"), [this] { ranking_->removeLast(); });
  if (session_->canUndo()) addTool(QStringLiteral("U"), tr("take back the answer before"), [this] { session_->undo(); });
  addTool(QStringLiteral("P"), tr("pause"), [this] { session_->pause(); });
  tools_->addWidget(toolRow_);
}

void TrialPage::showBlank() {
  blank_ = true;
  chosen_.clear(), choices_.clear();
  grid_->setHint({});
  grid_->setImages({});
  question_->clear(), progress_->setText(acknowledged_ ? tr("Saved ✓") : QString());
  for (QWidget** row : {&answerRow_, &toolRow_})
    if (*row) (*row)->deleteLater(), *row = nullptr;
  ranking_->hide(), save_->hide(), say({});
  countdown_->stop();
}

void TrialPage::showTrial() {
  const ui::TrialScreen& trial = session_->trial();
  blank_ = acknowledged_ = false;
  chosen_.clear(), used_.clear();
  const study::Viewer& allowed = session_->viewer();
  grid_->setTools({allowed.zoom, allowed.swap, allowed.slider, allowed.flicker, false, trial.practice});
  grid_->setLetters(ui::lettersOf(trial.kind));
  grid_->setImages(session_->timedOut() ? std::vector<QImage>() : trial.pictures);
  if (trial.practice && !trial.pictures.empty()) grid_->setReference(trial.pictures.front(), QStringLiteral("A"));
  if (trial.flicker_hz > 0 && trial.pictures.size() > 1) {
    grid_->setFlickerRate(trial.flicker_hz);
    grid_->setMode(ImageGrid::Mode::Cycle);
  }
  question_->setText(ui::questionOf(trial.kind, static_cast<int>(trial.pictures.size())));
  progress_->setText((trial.practice ? tr("Practice %1 of %2") : tr("%1 of %2")).arg(trial.number).arg(trial.of));
  ranking_->setVisible(trial.kind == TrialKind::Ranking);
  if (trial.kind == TrialKind::Ranking) ranking_->setLetters(static_cast<int>(trial.pictures.size()));
  save_->show();
  makeChoices(), makeTools();
  if (session_->timedOut()) showTimeUp();
  say(session_->notice());
  refresh();
  setFocus();
  countdown_->start(250);
  QTimer::singleShot(0, session_, &ui::ParticipantSession::picturesShown);
}

void TrialPage::showTimeUp() {
  grid_->setImages({});
  grid_->setHint(tr("Time is up. Please answer now."));
}

void TrialPage::say(const QString& text, bool problem) {
  setRole(status_, problem ? "problem" : "quiet");
  status_->setText(text), status_->setVisible(!text.isEmpty());
}

QString TrialPage::chosen() const {
  if (!blank_ && session_->trial().kind == TrialKind::Ranking) return ranking_->isComplete() ? ranking_->order() : QString();
  return chosen_;
}

void TrialPage::choose(const QString& answer) {
  if (blank_ || session_->isBusy()) return;
  chosen_ = answer;
  grid_->arm(-1);
  refresh();
}

// Until the answer is on disk it is not given, and neither keys nor the mouse change anything.
void TrialPage::showBusy() {
  if (blank_) return;
  const bool busy = session_->isBusy();
  for (QWidget* row : {answerRow_, toolRow_, static_cast<QWidget*>(ranking_), static_cast<QWidget*>(grid_)})
    if (row) row->setEnabled(!busy);
  if (busy) say(session_->busyText());
  else if (status_->property("role").toString() == QLatin1String("quiet")) say(session_->notice());   // a problem stays
  refresh();
}

void TrialPage::refresh() {
  if (blank_) return;
  const double left = session_->viewingLeft();
  for (const Choice& choice : choices_) choice.button->setChecked(choice.answer == chosen_);
  save_->setEnabled(left <= 0 && !chosen().isEmpty() && !session_->isBusy());
  const int seconds = static_cast<int>(std::ceil(left));
  save_->setText(session_->isBusy() ? session_->busyText() : left > 0.05 ? tr("Look for %1 s more").arg(seconds) : tr("Save answer  ⏎"));
  if (left <= 0) countdown_->stop();
}

void TrialPage::save() {
  const QString answer = chosen();
  if (blank_) return;
  if (answer.isEmpty()) return say(tr("Choose an answer first."));
  if (session_->viewingLeft() > 0) return;
  session_->answer(answer, facts());
}

QJsonObject TrialPage::facts() const {
  QJsonObject all = screenFacts(*window());
  // Logical pixels per pixel of the picture, as the tiles show it.
  const auto tiles = grid_->tiles();
  all[QStringLiteral("zoom")] = tiles.empty() ? 0 : grid_->transform().scale(session_->trial().pictures.front().size(), tiles.front().image.size());
  all[QStringLiteral("fitted")] = grid_->transform().fitted();
  all[QStringLiteral("flicker_hz")] = grid_->flickerRate();
  QStringList used(used_.begin(), used_.end());
  used.sort();
  all[QStringLiteral("tools")] = QJsonArray::fromStringList(used);
  return all;
}

void TrialPage::toggle(int mode) {
  const auto wanted = static_cast<ImageGrid::Mode>(mode);
  grid_->setMode(grid_->mode() == wanted ? ImageGrid::Mode::Grid : wanted);
}

// Practice: from the pictures to difference, heat map, edges, and back.
void TrialPage::nextComparison() {
  const bool shown = !grid_->legend().isEmpty();
  const int next = shown ? static_cast<int>(grid_->comparing()) + 1 : 0;
  const bool back = next > static_cast<int>(ImageGrid::Comparing::Edges);
  if (!back) grid_->setComparing(static_cast<ImageGrid::Comparing>(next));
  grid_->showDifference(back ? ImageGrid::kNoTile : ImageGrid::kAllTiles);
}

// Keys of the viewer, where the protocol allows them.
bool TrialPage::handleView(int key) {
  const study::Viewer& allowed = session_->viewer();
  const bool apart = grid_->count() > 1 && grid_->mode() != ImageGrid::Mode::Cycle;
  const bool slider = grid_->mode() == ImageGrid::Mode::Slider, flicker = grid_->mode() == ImageGrid::Mode::Flicker;
  const auto use = [this](const char* tool) { used_ << QString::fromLatin1(tool); return true; };
  if (apart && allowed.swap && key >= Qt::Key_1 && key < Qt::Key_1 + grid_->count()) return grid_->swapInPlace(key - Qt::Key_1), use("swap");
  if (apart && allowed.slider && key == Qt::Key_L) return toggle(static_cast<int>(ImageGrid::Mode::Slider)), use("slider");
  if (apart && allowed.flicker && key == Qt::Key_K) return toggle(static_cast<int>(ImageGrid::Mode::Flicker)), use("flicker");
  if (apart && session_->trial().practice && key == Qt::Key_V) return nextComparison(), use("differences");
  if (slider && (key == Qt::Key_Left || key == Qt::Key_Right)) return grid_->moveSlider(key == Qt::Key_Left ? -kSliderStep : kSliderStep), true;
  if (flicker && (key == Qt::Key_Up || key == Qt::Key_Down))
    return grid_->setFlickerRate(grid_->flickerRate() + (key == Qt::Key_Up ? 0.5 : -0.5)), true;
  if (key == Qt::Key_0) {
    grid_->fit();
    if (apart) grid_->setMode(ImageGrid::Mode::Grid);
    return true;
  }
  if (!allowed.zoom) return false;
  switch (key) {
    case Qt::Key_Plus:
    case Qt::Key_Equal: return grid_->zoomBy(kZoomStep), use("zoom");
    case Qt::Key_Minus: return grid_->zoomBy(1 / kZoomStep), use("zoom");
    case Qt::Key_Left: return grid_->panBy({kPanStep, 0}), use("pan");
    case Qt::Key_Right: return grid_->panBy({-kPanStep, 0}), use("pan");
    case Qt::Key_Up: return grid_->panBy({0, kPanStep}), use("pan");
    case Qt::Key_Down: return grid_->panBy({0, -kPanStep}), use("pan");
    default: return false;
  }
}

bool TrialPage::handleTool(int key) {
  const bool ranking = session_->trial().kind == TrialKind::Ranking;
  if (key == Qt::Key_Return || key == Qt::Key_Enter) return save(), true;
  if (key == Qt::Key_P) return session_->pause(), true;
  if (key == Qt::Key_U) return session_->undo(), true;
  if (key == Qt::Key_Backspace && ranking) return ranking_->removeLast(), true;
  if (ranking && key >= Qt::Key_A && key < Qt::Key_A + static_cast<int>(session_->trial().pictures.size()))
    return ranking_->place(QChar(u'A' + (key - Qt::Key_A))), true;
  for (const Choice& choice : choices_)
    if (choice.key == key) return choose(choice.answer), true;
  return handleView(key);
}

void TrialPage::keyPressEvent(QKeyEvent* event) {
  const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier));
  if (session_->isBusy()) return;
  if (blank_ || !plain || !handleTool(event->key())) QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
