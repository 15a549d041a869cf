#include "ui/views/question_panel.h"

#include "ui/models/trial_controller.h"
#include "ui/views/answer_form.h"
#include "ui/views/confidence_dots.h"
#include "ui/views/icons.h"
#include "ui/views/precision_panel.h"
#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollArea>
#include <QToolButton>

namespace quantspot::views {
namespace {

const QString kAboutName = QStringLiteral("Give every tile its precision.");
const QString kAboutRate = QStringLiteral("Say how good every tile is, from 1 (bad) to 5 (excellent).");
const QString kAboutSpot = QStringLiteral("Several bf16 tiles and one quantized: find it.");

QScrollArea* scrolled(QWidget* content) {
  auto* area = new QScrollArea;
  area->setWidget(content);
  area->setWidgetResizable(true), area->setFrameShape(QFrame::NoFrame);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  return area;
}

}  // namespace

QuestionPanel::QuestionPanel(ui::TrialController* trial, QWidget* parent)
    : QFrame(parent), trial_(trial), name_(new QRadioButton(QStringLiteral("Name each"))), spot_(new QRadioButton(QStringLiteral("Spot the one"))),
      rate_(new QRadioButton(QStringLiteral("Rate 1–5"))),
      about_(new QLabel(kAboutName)), sureLabel_(new QLabel(QStringLiteral("Sure?"))), form_(new AnswerForm(trial)), sure_(new ConfidenceDots),
      lacking_(new QLabel), undo_(new QToolButton), answer_(new QPushButton(QStringLiteral("Answer && reveal"))) {
  auto* title = new QLabel(QStringLiteral("Question"));
  title->setProperty("role", "section");
  name_->setChecked(true);
  about_->setProperty("role", "quiet"), about_->setWordWrap(true);
  sureRow_ = makeSureRow();
  setMainRole(answer_, true);
  lacking_->setProperty("role", "quiet"), lacking_->setWordWrap(true);
  for (QRadioButton* radio : {name_, spot_, rate_}) connect(radio, &QRadioButton::clicked, this, [this] { refresh(), Q_EMIT taskChosen(task()); });
  connect(trial_, &ui::TrialController::stateChanged, this, &QuestionPanel::onStateChanged);
  connect(trial_, &ui::TrialController::choicesChanged, this, &QuestionPanel::refresh);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(8);
  layout->addWidget(title), layout->addWidget(name_), layout->addWidget(spot_), layout->addWidget(rate_), layout->addWidget(about_);
  layout->addSpacing(6);
  layout->addWidget(scrolled(form_), 1);
  layout->addWidget(sureRow_), layout->addWidget(lacking_), layout->addWidget(answer_);
  onStateChanged();
}

QWidget* QuestionPanel::makeSureRow() {
  auto* row = new QWidget;
  auto* layout = new QHBoxLayout(row);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(8);
  sureLabel_->setProperty("role", "quiet");
  undo_->setToolTip(QStringLiteral("Undo (Ctrl+Z)")), undo_->setAccessibleName(QStringLiteral("Undo"));
  undo_->setShortcut(QKeySequence::Undo);
  layout->addWidget(sureLabel_), layout->addWidget(sure_), layout->addStretch(1), layout->addWidget(undo_);
  connect(sure_, &ConfidenceDots::chosen, trial_, &ui::TrialController::setConfidence);
  connect(undo_, &QToolButton::clicked, trial_, &ui::TrialController::undo);
  return row;
}

study::Task QuestionPanel::task() const {
  return spot_->isChecked() ? study::Task::SpotOne : rate_->isChecked() ? study::Task::Rate : study::Task::NameEach;
}

void QuestionPanel::setTask(study::Task task) {
  (task == study::Task::SpotOne ? spot_ : task == study::Task::Rate ? rate_ : name_)->setChecked(true);
  refresh();
}

QString QuestionPanel::lacking() const {
  if (trial_->state() != ui::TrialController::State::Open || trial_->canAnswer()) return {};
  if (trial_->task() == study::Task::SpotOne) return QStringLiteral("Pick a tile first");
  QStringList open;
  for (int tile = 0; tile < trial_->slotCount(); ++tile)
    if (trial_->choice(tile).isEmpty() && trial_->grade(tile) == 0) open << QString(ui::SlotListModel::letter(tile));
  const QString what = trial_->task() == study::Task::Rate ? QStringLiteral("grade") : QStringLiteral("name");
  return QStringLiteral("Still without a %1: %2").arg(what, open.join(QStringLiteral(", ")));
}

void QuestionPanel::onStateChanged() {
  const bool open = trial_->state() == ui::TrialController::State::Open;
  form_->rebuild();
  form_->setVisible(open), sureRow_->setVisible(open), lacking_->setVisible(open), answer_->setVisible(open);
  refresh();
}

void QuestionPanel::refresh() {
  const bool open = trial_->state() == ui::TrialController::State::Open;
  QString about = task() == study::Task::SpotOne ? kAboutSpot : task() == study::Task::Rate ? kAboutRate : kAboutName;
  if (open && task() != trial_->task()) about += QStringLiteral(" From the next comparison on.");
  about_->setText(about);
  about_->setVisible(!open || task() != trial_->task());   // the open question has its own words
  undo_->setIcon(icon(Glyph::Undo, theme().quiet));
  undo_->setEnabled(trial_->canUndo());
  sure_->setValue(trial_->confidence());
  answer_->setEnabled(trial_->canAnswer());
  const QString lacks = lacking();
  lacking_->setText(lacks);
  answer_->setToolTip(lacks.isEmpty() ? QStringLiteral("Enter") : lacks);
}

}  // namespace quantspot::views
