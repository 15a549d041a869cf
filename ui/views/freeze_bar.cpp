#include "ui/views/freeze_bar.h"

#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
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
    : QWidget(parent), sentence_(new QLabel), problem_(new QLabel), first_(secretField(tr("Passphrase"))),
      second_(secretField(tr("Passphrase again"))),
      freeze_(new QPushButton(tr("Freeze"))), cancel_(new QPushButton(tr("Cancel"))), progress_(new QProgressBar) {
  setObjectName(QStringLiteral("footer"));
  setAttribute(Qt::WA_StyledBackground);
  sentence_->setText(tr("Freezing fixes protocol, pictures and analysis under one hash and seals which picture is which under your passphrase: "
                        "after it nothing but answers can be added, and without the passphrase nobody can reveal them. Until the reveal the "
                        "history's copies of these pictures are sealed with it, so that nobody can look them up."));
  sentence_->setWordWrap(true), sentence_->setProperty("role", "quiet");
  problem_->setWordWrap(true), problem_->setProperty("role", "problem");
  freeze_->setProperty("role", "main");
  auto* row = new QHBoxLayout;
  progress_->setTextVisible(false), progress_->setFixedHeight(8), progress_->setAccessibleName(tr("Progress of freezing"));
  row->addWidget(first_, 1), row->addWidget(second_, 1), row->addWidget(freeze_), row->addWidget(progress_, 2), row->addWidget(cancel_);
  row->addStretch(1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 10, 18, 12), layout->setSpacing(8);
  layout->addWidget(sentence_), layout->addLayout(row), layout->addWidget(problem_);
  connect(freeze_, &QPushButton::clicked, this, &FreezeBar::tryFreeze);
  connect(second_, &QLineEdit::returnPressed, this, &FreezeBar::tryFreeze);
  connect(cancel_, &QPushButton::clicked, this, [this] {
    cancel_->setEnabled(false);
    Q_EMIT cancelled();
  });
  setFreezing(false);
  setProblem({});
}

void FreezeBar::setFreezing(bool freezing) {
  for (QWidget* widget : {static_cast<QWidget*>(first_), static_cast<QWidget*>(second_), static_cast<QWidget*>(freeze_)}) {
    widget->setVisible(!freezing);
    widget->setEnabled(blocked_.isEmpty());
  }
  progress_->setVisible(freezing), cancel_->setVisible(freezing), cancel_->setEnabled(true);
  progress_->setRange(0, 0);                 // busy until the first comparison is counted
  setRole(problem_, freezing ? "quiet" : "problem");
  say(freezing ? tr("Reading and checking the pictures…") : QString());
  if (freezing) cancel_->setFocus();
}

void FreezeBar::setProgress(int done, int of) {
  progress_->setRange(0, of), progress_->setValue(done);
  say(tr("Reading and checking the pictures: %1 of %2 comparisons").arg(done).arg(of));
}

void FreezeBar::setSealing() {
  cancel_->setEnabled(false), progress_->setRange(0, 0);
  say(tr("Sealing; this cannot be taken back…"));
}

void FreezeBar::setProblem(const QString& problem) {
  blocked_ = problem;
  for (QWidget* widget : {static_cast<QWidget*>(first_), static_cast<QWidget*>(second_), static_cast<QWidget*>(freeze_)})
    widget->setEnabled(problem.isEmpty());
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
