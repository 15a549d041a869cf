#include "ui/views/plate_page.h"

#include "ui/models/participant_session.h"
#include "ui/views/flow_layout.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace quantspot::views {
namespace {

const QString kNone = QStringLiteral("none");

QFont scaled(const QFont& font, double by) {
  QFont result = font;
  result.setPointSizeF(font.pointSizeF() * by);
  return result;
}

}  // namespace

PlateView::PlateView(QWidget* parent) : QWidget(parent) { setMinimumSize(240, 240); }

PlateView::~PlateView() = default;

void PlateView::setDots(std::vector<ui::PlateDot> dots) {
  dots_ = std::move(dots);
  update();
}

void PlateView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), QColor(119, 119, 119));
  painter.setRenderHint(QPainter::Antialiasing), painter.setPen(Qt::NoPen);
  const double radius = std::min(width(), height()) / 2.0 - 12;
  painter.translate(width() / 2.0, height() / 2.0);
  for (const ui::PlateDot& dot : dots_) {
    painter.setBrush(QColor::fromRgb(dot.colour));
    painter.drawEllipse(QPointF(dot.x * radius, dot.y * radius), dot.radius * radius, dot.radius * radius);
  }
}

PlatePage::PlatePage(ui::ParticipantSession* session, QWidget* parent)
    : QWidget(parent), session_(session), plate_(new PlateView), question_(new QLabel(tr("Which number do you see?"))), progress_(new QLabel),
      problem_(new QLabel), save_(new QPushButton(tr("Continue  ⏎"))) {
  setFocusPolicy(Qt::StrongFocus), setAccessibleName(tr("Number plate"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(0);
  layout->addWidget(makeTop()), layout->addWidget(plate_, 1), layout->addWidget(makeBottom());
  connect(save_, &QPushButton::clicked, this, &PlatePage::save);
}

QWidget* PlatePage::makeTop() {
  auto* top = new QWidget;
  top->setObjectName(QStringLiteral("header")), top->setAttribute(Qt::WA_StyledBackground);
  auto* row = new QHBoxLayout(top);
  row->setContentsMargins(20, 10, 20, 10);
  question_->setFont(scaled(question_->font(), 1.4)), question_->setProperty("role", "title"), question_->setWordWrap(true);
  progress_->setFont(scaled(progress_->font(), 1.1)), progress_->setProperty("role", "quiet");
  row->addWidget(question_, 1), row->addWidget(progress_);
  return top;
}

QWidget* PlatePage::makeBottom() {
  auto* bottom = new QWidget;
  bottom->setObjectName(QStringLiteral("footer")), bottom->setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(bottom);
  column->setContentsMargins(20, 10, 20, 10), column->setSpacing(8);
  auto* choices = new QWidget;
  new FlowLayout(8, choices);
  for (int digit = 0; digit <= 9; ++digit) addChoice(choices, QString::number(digit), QString::number(digit));
  addChoice(choices, tr("I see no number   [N]"), kNone);
  save_->setProperty("role", "main"), save_->setProperty("large", true), save_->setFocusPolicy(Qt::NoFocus);
  save_->setFont(scaled(save_->font(), 1.2));
  auto* row = new QHBoxLayout;
  row->setSpacing(12);
  row->addWidget(choices, 1), row->addWidget(save_, 0, Qt::AlignVCenter);
  auto* keys = new QLabel(tr("0–9: the number     N: no number     Return: continue. This only tells whether this screen shows you what others see; "
                             "it is no eye test. A guess helps nobody: say when you see none."));
  keys->setProperty("role", "quiet"), keys->setWordWrap(true);
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true), problem_->hide();
  column->addLayout(row), column->addWidget(problem_), column->addWidget(keys);
  return bottom;
}

void PlatePage::addChoice(QWidget* row, const QString& text, const QString& answer) {
  auto* button = new QPushButton(text);
  button->setCheckable(true), button->setFocusPolicy(Qt::NoFocus), button->setProperty("large", true);
  button->setFont(scaled(button->font(), 1.2));
  connect(button, &QPushButton::clicked, this, [this, answer] { choose(answer); });
  row->layout()->addWidget(button);
  choices_.emplace_back(answer, button);
}

void PlatePage::showPlate() {
  setProblem({});
  choose({});
  progress_->setText(tr("%1 of %2").arg(session_->plateNumber()).arg(session_->plateCount()));
  plate_->setDots(session_->plate());
}

void PlatePage::showNothing() { plate_->setDots({}), choose({}); }

void PlatePage::setProblem(const QString& problem) { problem_->setText(problem), problem_->setVisible(!problem.isEmpty()); }

void PlatePage::choose(const QString& answer) {
  chosen_ = answer;
  for (const auto& [one, button] : choices_) button->setChecked(one == answer);
  save_->setEnabled(!answer.isEmpty());
}

void PlatePage::save() {
  if (!chosen_.isEmpty() && !session_->isBusy()) session_->readPlate(chosen_);
}

void PlatePage::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  if (event->isAutoRepeat()) return event->accept();
  if (key >= Qt::Key_0 && key <= Qt::Key_9) return choose(QString::number(key - Qt::Key_0));
  if (key == Qt::Key_N) return choose(kNone);
  if (key == Qt::Key_Return || key == Qt::Key_Enter) return save();
  QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
