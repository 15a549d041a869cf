#include "ui/views/unlock_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace quantspot::views {

UnlockPanel::UnlockPanel(const QString& title, const QString& about, QWidget* parent)
    : QWidget(parent), head_(new QLabel), about_(new QLabel), problem_(new QLabel), field_(new QLineEdit), button_(new QPushButton(tr("Unlock"))) {
  head_->setProperty("role", "title"), head_->setWordWrap(true);
  about_->setProperty("role", "quiet"), about_->setWordWrap(true);
  setTexts(title, about);
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true), problem_->hide();
  field_->setEchoMode(QLineEdit::Password), field_->setPlaceholderText(tr("The experimenter's passphrase"));
  field_->setAccessibleName(tr("Passphrase"));
  button_->setProperty("role", "main"), button_->setEnabled(false), button_->setToolTip(tr("Type the passphrase first"));
  connect(field_, &QLineEdit::textChanged, button_, [this](const QString& text) { button_->setEnabled(!text.isEmpty() && !field_->isReadOnly()); });
  connect(field_, &QLineEdit::returnPressed, this, &UnlockPanel::enter);
  connect(button_, &QPushButton::clicked, this, &UnlockPanel::enter);
  auto* row = new QHBoxLayout;
  row->addWidget(field_, 1), row->addWidget(button_);
  auto* inner = new QWidget;
  inner->setFixedWidth(460);
  auto* column = new QVBoxLayout(inner);
  column->setSpacing(10);
  column->addWidget(head_), column->addWidget(about_), column->addLayout(row), column->addWidget(problem_);
  auto* middle = new QHBoxLayout;        // not an alignment, which would give wrapped lines the height of one
  middle->addStretch(1), middle->addWidget(inner), middle->addStretch(1);
  auto* outer = new QVBoxLayout(this);
  outer->addStretch(1), outer->addLayout(middle), outer->addStretch(2);
}

void UnlockPanel::enter() {
  if (field_->text().isEmpty() || field_->isReadOnly()) return;
  problem_->hide();
  Q_EMIT entered(field_->text());
}

void UnlockPanel::setTexts(const QString& title, const QString& about) {
  head_->setText(title), about_->setText(about);
}

void UnlockPanel::setBusy(bool busy) {
  field_->setReadOnly(busy);             // not disabled: the focus would go on to something else on the page
  button_->setEnabled(!busy && !field_->text().isEmpty());
  button_->setText(busy ? tr("Opening…") : tr("Unlock"));
  if (!busy) field_->clear();
}

void UnlockPanel::setProblem(const QString& problem) {
  problem_->setText(problem);
  problem_->setVisible(!problem.isEmpty());
  takeFocus();
}

void UnlockPanel::takeFocus() { field_->setFocus(); }

}  // namespace quantspot::views
