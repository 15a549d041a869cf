#include "ui/views/footer.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>

#include <algorithm>

namespace quantspot::views {
namespace {
constexpr int kSteps = 1000;
constexpr double kScoreShare = 0.62;      // of the width, at most

void setRole(QLabel* label, const char* role) {
  label->setProperty("role", role);
  label->style()->unpolish(label);
  label->style()->polish(label);
}

}  // namespace

Footer::Footer(QWidget* parent)
    : QWidget(parent), text_(new QLabel), score_(new QLabel), bar_(new QProgressBar), cancel_(new QPushButton(QStringLiteral("Cancel"))) {
  setObjectName(QStringLiteral("footer"));
  setAttribute(Qt::WA_StyledBackground);
  setFixedHeight(46);
  bar_->setRange(0, kSteps), bar_->setTextVisible(false), bar_->setFixedWidth(180);
  text_->setMinimumWidth(40), text_->setWordWrap(true);        // two lines fit
  text_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  score_->setProperty("role", "quiet");
  connect(cancel_, &QPushButton::clicked, this, &Footer::cancel);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(18, 0, 18, 0), layout->setSpacing(14);
  layout->addWidget(bar_), layout->addWidget(text_, 1), layout->addWidget(cancel_), layout->addWidget(score_);
  endProgress();
}

void Footer::setProgress(const QString& text, double fraction) {
  setRole(text_, "quiet");
  text_->setText(text), text_->setToolTip({});
  bar_->show(), cancel_->show();
  bar_->setValue(static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kSteps));
}

void Footer::endProgress() {
  if (bar_->isHidden()) return;
  bar_->hide(), cancel_->hide();
  text_->clear();
}

void Footer::setNotice(const QString& text, bool problem) {
  bar_->hide(), cancel_->hide();
  setRole(text_, problem ? "problem" : "quiet");
  text_->setText(text), text_->setToolTip(text);
}

void Footer::setScore(const QString& text, const QString& tip) {
  scoreText_ = text;
  score_->setToolTip(tip);
  showScore();
}

void Footer::showScore() { score_->setText(score_->fontMetrics().elidedText(scoreText_, Qt::ElideRight, static_cast<int>(width() * kScoreShare))); }

}  // namespace quantspot::views
