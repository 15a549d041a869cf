#include "ui/views/step_bar.h"

#include "ui/models/precision_names.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTabBar>
#include <QToolButton>

namespace quantspot::views {

StepBar::StepBar(QWidget* parent)
    : QWidget(parent), tabs_(new QTabBar), add_(new QToolButton), remove_(new QToolButton), startLabel_(new QLabel(QStringLiteral("begins at step"))),
      start_(new QSpinBox) {
  tabs_->setAccessibleName(QStringLiteral("Steps that the policy is for")), tabs_->setDrawBase(false), tabs_->setExpanding(false);
  add_->setText(QStringLiteral("+ other steps…")), add_->setToolTip(QStringLiteral("Another policy from some step on: precision where the picture is decided"));
  remove_->setText(QStringLiteral("Remove")), remove_->setToolTip(QStringLiteral("One policy fewer: its steps go to the one before"));
  startLabel_->setProperty("role", "quiet"), startLabel_->setBuddy(start_);
  start_->setAccessibleName(QStringLiteral("First step of this policy")), start_->setFixedWidth(58);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0), row->setSpacing(8);
  row->addWidget(tabs_), row->addWidget(add_), row->addStretch(1), row->addWidget(startLabel_), row->addWidget(start_), row->addWidget(remove_);
  connect(tabs_, &QTabBar::currentChanged, this, &StepBar::choose);
  connect(add_, &QToolButton::clicked, this, &StepBar::split);
  connect(remove_, &QToolButton::clicked, this, &StepBar::removeCurrent);
  connect(start_, &QSpinBox::valueChanged, this, &StepBar::moveStart);
  rebuild();
}

void StepBar::setSpans(std::vector<ui::StepSpan> spans) {
  spans_ = std::move(spans);
  current_ = 0;
  rebuild();
}

void StepBar::setPolicy(const QString& policy) {
  if (spans_[current_].policy == policy) return;
  spans_[current_].policy = policy;
  rebuild();
}

void StepBar::setSteps(int steps) { steps_ = steps, rebuild(); }

void StepBar::split() {
  const int first = spans_[current_].first, end = current_ + 1 < spans_.size() ? spans_[current_ + 1].first : std::max(steps_, first + 2);
  if (end - first < 2) return;
  spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(current_) + 1, {first + (end - first) / 2, spans_[current_].policy});
  ++current_;
  rebuild();
  Q_EMIT changed();
}

void StepBar::removeCurrent() {
  if (spans_.size() < 2) return;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(current_));
  spans_.front().first = 0;
  current_ = current_ > 0 ? current_ - 1 : 0;
  rebuild();
  Q_EMIT chosen(spans_[current_].policy);
  Q_EMIT changed();
}

void StepBar::choose(int tab) {
  if (tab < 0 || tab == static_cast<int>(current_)) return;
  current_ = static_cast<std::size_t>(tab);
  rebuild();
  Q_EMIT chosen(spans_[current_].policy);
}

void StepBar::moveStart(int step) {
  spans_[current_].first = step;
  rebuild();
  Q_EMIT changed();
}

void StepBar::rebuild() {
  const QSignalBlocker quiet1(tabs_), quiet2(start_);
  while (tabs_->count() > static_cast<int>(spans_.size())) tabs_->removeTab(tabs_->count() - 1);
  while (tabs_->count() < static_cast<int>(spans_.size())) tabs_->addTab({});
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    const QString name = ui::spanName(spans_, i);
    tabs_->setTabText(static_cast<int>(i), spans_.size() == 1 ? name : name + QStringLiteral(": ") + ui::shortName(spans_[i].policy));
    tabs_->setTabToolTip(static_cast<int>(i), spans_[i].policy);
  }
  tabs_->setCurrentIndex(static_cast<int>(current_));
  const bool several = spans_.size() > 1, later = current_ > 0;
  tabs_->setVisible(several), remove_->setVisible(several), startLabel_->setVisible(several && later), start_->setVisible(several && later);
  if (!later) return;
  const int after = current_ + 1 < spans_.size() ? spans_[current_ + 1].first - 1 : 999;
  start_->setRange(spans_[current_ - 1].first + 1, after), start_->setValue(spans_[current_].first);
}

}  // namespace quantspot::views
