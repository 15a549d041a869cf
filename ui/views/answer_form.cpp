#include "ui/views/answer_form.h"

#include "study/ratings.h"
#include "ui/models/precision_names.h"
#include "ui/models/trial_controller.h"
#include "ui/views/precision_chip.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

QLabel* quiet(const QString& text) {
  auto* label = new QLabel(text);
  label->setProperty("role", "quiet");
  label->setWordWrap(true);
  return label;
}

}  // namespace

AnswerForm::AnswerForm(ui::TrialController* trial, QWidget* parent) : QWidget(parent), trial_(trial), layout_(new QVBoxLayout(this)) {
  layout_->setContentsMargins(0, 0, 0, 0);
  connect(trial_, &ui::TrialController::choicesChanged, this, &AnswerForm::refresh);
}

void AnswerForm::clear() {
  combos_.clear(), chips_.clear(), letters_.clear(), grades_.clear(), words_.clear();
  picks_ = nullptr;
  delete content_;
  content_ = new QWidget;
  layout_->addWidget(content_);
}

void AnswerForm::rebuild() {
  clear();
  armed_ = -1;
  if (trial_->state() != ui::TrialController::State::Open) return;
  switch (trial_->task()) {
    case study::Task::NameEach: buildNames(); break;
    case study::Task::SpotOne: buildSpot(); break;
    case study::Task::Rate: buildGrades(); break;
  }
  refresh();
}

void AnswerForm::buildNames() {
  auto* column = new QVBoxLayout(content_);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(6);
  column->addWidget(quiet(QStringLiteral("Drag each onto its tile, or press a letter and a digit.")));
  const QStringList options = trial_->options();
  for (int i = 0; i < options.size(); ++i) {
    auto* chip = new PrecisionChip(i + 1, options[i]);
    connect(chip, &PrecisionChip::clicked, this, [this, name = options[i]] {
      const int tile = armed_;
      if (tile >= 0) trial_->choose(tile, name), Q_EMIT named(tile);
    });
    chips_.push_back(chip);
    column->addWidget(chip);
  }
  column->addSpacing(8);
  auto* rows = new QGridLayout;
  rows->setHorizontalSpacing(10), rows->setVerticalSpacing(6);
  for (int slot = 0; slot < trial_->slotCount(); ++slot) {
    auto* letter = new QLabel(ui::SlotListModel::letter(slot));
    letter->setProperty("role", "title");
    auto* combo = new QComboBox;
    combo->setFocusPolicy(Qt::TabFocus);               // a click leaves the letters to the pictures
    combo->setAccessibleName(QStringLiteral("Precision of tile %1").arg(ui::SlotListModel::letter(slot)));
    combo->addItem(QStringLiteral("?"), QString());
    for (const QString& option : options) combo->addItem(ui::shortName(option), option);
    connect(combo, &QComboBox::activated, this, [this, slot, combo] { trial_->choose(slot, combo->currentData().toString()), Q_EMIT named(slot); });
    rows->addWidget(letter, slot, 0), rows->addWidget(combo, slot, 1);
    letters_.push_back(letter), combos_.push_back(combo);
  }
  rows->setColumnStretch(1, 1);
  rows->setColumnMinimumWidth(0, 26);
  column->addLayout(rows);
  column->addStretch(1);
}

void AnswerForm::buildSpot() {
  auto* column = new QVBoxLayout(content_);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(8);
  column->addWidget(quiet(QStringLiteral("All but one are bf16. Which one is quantized? Click it, or press its letter.")));
  auto* row = new QGridLayout;
  row->setSpacing(6);
  picks_ = new QButtonGroup(content_);
  constexpr int kPerRow = 4;
  for (int slot = 0; slot < trial_->slotCount(); ++slot) {
    auto* button = new QPushButton(ui::SlotListModel::letter(slot));
    button->setCheckable(true);
    button->setProperty("role", "pick");
    picks_->addButton(button, slot);
    row->addWidget(button, slot / kPerRow, slot % kPerRow);
  }
  connect(picks_, &QButtonGroup::idClicked, this, [this](int slot) { trial_->pick(slot); });
  column->addLayout(row);
  column->addStretch(1);
}

void AnswerForm::buildGrades() {
  constexpr int kButtonHeight = 34;
  auto* column = new QVBoxLayout(content_);
  column->setContentsMargins(0, 0, 0, 0), column->setSpacing(4);
  column->addWidget(quiet(QStringLiteral("How good is each? Press its letter and a digit, or a button: 1 bad, 2 poor, 3 fair, 4 good, "
                                         "5 excellent.")));
  for (int slot = 0; slot < trial_->slotCount(); ++slot) {
    const QString tile = ui::SlotListModel::letter(slot);
    auto* heading = new QHBoxLayout;
    auto* letter = new QLabel(tile);
    letter->setProperty("role", "title");
    auto* word = quiet({});
    heading->setContentsMargins(0, 6, 0, 0), heading->addWidget(letter), heading->addWidget(word, 1);
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    auto* group = new QButtonGroup(content_);
    for (int grade = 1; grade <= 5; ++grade) {
      auto* button = new QPushButton(QString::number(grade));
      button->setCheckable(true), button->setProperty("role", "pick"), button->setFixedHeight(kButtonHeight), button->setMinimumWidth(30);
      button->setToolTip(study::gradeWord(grade));
      button->setAccessibleName(QStringLiteral("Tile %1: %2, %3").arg(tile).arg(grade).arg(study::gradeWord(grade)));
      group->addButton(button, grade);
      row->addWidget(button, 1);
    }
    connect(group, &QButtonGroup::idClicked, this, [this, slot](int grade) { trial_->rate(slot, grade), Q_EMIT named(slot); });
    column->addLayout(heading), column->addLayout(row);
    letters_.push_back(letter), words_.push_back(word), grades_.push_back(group);
  }
  column->addStretch(1);
}

void AnswerForm::setArmed(int tile) {
  armed_ = tile;
  for (std::size_t i = 0; i < letters_.size(); ++i)
    letters_[i]->setText(ui::SlotListModel::letter(int(i)) + (int(i) == tile ? QStringLiteral(" ›") : QString()));
}

void AnswerForm::refresh() {
  if (trial_->state() != ui::TrialController::State::Open) return;
  QStringList used;
  for (int slot = 0; slot < static_cast<int>(combos_.size()); ++slot) {
    used << trial_->choice(slot);
    const QSignalBlocker quiet(combos_[slot]);
    combos_[slot]->setCurrentIndex(std::max(0, combos_[slot]->findData(trial_->choice(slot))));
  }
  refreshGrades();
  for (PrecisionChip* chip : chips_) chip->setUsed(used.contains(chip->precision()));
  if (!picks_) return;
  picks_->setExclusive(false);
  for (QAbstractButton* button : picks_->buttons()) button->setChecked(picks_->id(button) == trial_->picked());
  picks_->setExclusive(true);
}

void AnswerForm::refreshGrades() {
  for (std::size_t slot = 0; slot < grades_.size(); ++slot) {
    const int given = trial_->grade(static_cast<int>(slot));
    grades_[slot]->setExclusive(false);                // none may be given
    for (QAbstractButton* button : grades_[slot]->buttons()) button->setChecked(grades_[slot]->id(button) == given);
    grades_[slot]->setExclusive(true);
    words_[slot]->setText(study::gradeWord(given).toLower());
  }
}

}  // namespace quantspot::views
