#include "ui/views/freeze_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kShortest = 8;

QLineEdit* secretField(const QString& placeholder) {
  auto* field = new QLineEdit;
  field->setEchoMode(QLineEdit::Password);
  field->setPlaceholderText(placeholder), field->setAccessibleName(placeholder);
  field->setMaximumWidth(260);
  return field;
}

}  // namespace

FreezeBar::FreezeBar(QWidget* parent)
    : QWidget(parent), sentence_(new QLabel), problem_(new QLabel), first_(secretField(tr("Passphrase"))), second_(secretField(tr("Passphrase again"))),
      freeze_(new QPushButton(tr("Freeze"))) {
  setObjectName(QStringLiteral("footer"));
  setAttribute(Qt::WA_StyledBackground);
  sentence_->setText(tr("Freezing fixes protocol, pictures and analysis under one hash and seals which picture is which under your passphrase: "
                        "after it nothing but answers can be added, and without the passphrase nobody can reveal them."));
  sentence_->setWordWrap(true), sentence_->setProperty("role", "quiet");
  problem_->setWordWrap(true), problem_->setProperty("role", "problem");
  freeze_->setProperty("role", "main");
  auto* row = new QHBoxLayout;
  row->addWidget(first_, 1), row->addWidget(second_, 1), row->addWidget(freeze_), row->addStretch(1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 10, 18, 12), layout->setSpacing(8);
  layout->addWidget(sentence_), layout->addLayout(row), layout->addWidget(problem_);
  connect(freeze_, &QPushButton::clicked, this, &FreezeBar::tryFreeze);
  connect(second_, &QLineEdit::returnPressed, this, &FreezeBar::tryFreeze);
  setProblem({});
}

void FreezeBar::setProblem(const QString& problem) {
  for (QWidget* widget : {static_cast<QWidget*>(first_), static_cast<QWidget*>(second_), static_cast<QWidget*>(freeze_)}) widget->setEnabled(problem.isEmpty());
  say(problem);
}

void FreezeBar::say(const QString& message) { problem_->setText(message), problem_->setVisible(!message.isEmpty()); }

void FreezeBar::tryFreeze() {
  if (!freeze_->isEnabled()) return;
  if (first_->text().size() < kShortest) return say(tr("The passphrase needs %1 characters or more.").arg(kShortest));
  if (first_->text() != second_->text()) return say(tr("The two passphrases differ."));
  const QString passphrase = first_->text();
  first_->clear(), second_->clear();
  Q_EMIT freeze(passphrase);
}

}  // namespace quantspot::views
