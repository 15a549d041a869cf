#include "ui/views/decision_path.h"

#include "ui/views/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>

namespace quantspot::views {
namespace {

constexpr int kGap = 22, kPadding = 8, kMargin = 2;
constexpr double kShare = 0.56;            // of the width: questions; the rest: what left

QString joined(const std::vector<std::string>& names) {
  QStringList all;
  for (const std::string& name : names) all << QString::fromStdString(name);
  return all.join(QStringLiteral(", "));
}

int textHeight(const QFontMetrics& metrics, int width, const QString& text) {
  return metrics.boundingRect(0, 0, width - 2 * kPadding, 4000, Qt::TextWordWrap, text).height() + 2 * kPadding;
}

void arrow(QPainter& painter, const QPoint& from, const QPoint& to) {
  painter.drawLine(from, to);
  const bool down = from.x() == to.x();
  QPainterPath head;
  head.moveTo(to);
  head.lineTo(to + (down ? QPoint(-4, -6) : QPoint(-6, -4)));
  head.lineTo(to + (down ? QPoint(4, -6) : QPoint(-6, 4)));
  head.closeSubpath();
  painter.fillPath(head, painter.pen().color());
}

}  // namespace

DecisionPath::DecisionPath(QWidget* parent) : QWidget(parent) {
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Minimum);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
}

void DecisionPath::setPath(std::vector<decision::Node> path, QString end) {
  path_ = std::move(path), end_ = std::move(end);
  setAccessibleDescription(lines().join(u'\n'));
  setMinimumHeight(heightForWidth(std::max(width(), 240)));
  updateGeometry(), update();
}

QString DecisionPath::questionText(std::size_t node) const {
  return QStringLiteral("%1\n%2").arg(QString::fromStdString(path_[node].question), QString::fromStdString(path_[node].answer));
}

QString DecisionPath::leftText(std::size_t node) const { return joined(path_[node].leave); }

QStringList DecisionPath::lines() const {
  QStringList all;
  for (std::size_t i = 0; i < path_.size(); ++i) {
    all << questionText(i).replace(u'\n', u' ');
    if (!path_[i].leave.empty()) all << tr("left behind: %1").arg(leftText(i));
  }
  if (!end_.isEmpty()) all << end_;
  return all;
}

std::vector<DecisionPath::Box> DecisionPath::boxes(int width) const {
  std::vector<Box> all;
  const int questions = static_cast<int>(kShare * width) - kMargin, rest = width - questions - kGap - 2 * kMargin;
  int y = kMargin;
  for (std::size_t i = 0; i < path_.size(); ++i) {
    Box box{.question = {kMargin, y, questions, textHeight(fontMetrics(), questions, questionText(i))}, .left = {}};
    if (!path_[i].leave.empty()) {
      const int height = textHeight(fontMetrics(), rest, leftText(i));
      box.question.setHeight(std::max(box.question.height(), height));
      box.left = QRect(kMargin + questions + kGap, y + (box.question.height() - height) / 2, rest, height);
    }
    all.push_back(box);
    y = box.question.bottom() + 1 + kGap;
  }
  if (!end_.isEmpty()) all.push_back({.question = {kMargin, y, questions, textHeight(fontMetrics(), questions, end_)}, .left = {}});
  return all;
}

int DecisionPath::heightForWidth(int width) const {
  const std::vector<Box> all = boxes(width);
  return all.empty() ? 0 : all.back().question.bottom() + 1 + kMargin;
}

QSize DecisionPath::sizeHint() const { return {360, heightForWidth(360)}; }

void DecisionPath::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const Theme& t = theme();
  const std::vector<Box> all = boxes(width());
  const auto frame = [&](const QRect& rect, const QColor& ground, const QColor& line) {
    painter.setPen(line), painter.setBrush(ground);
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
  };
  const auto write = [&](const QRect& rect, const QString& text, const QColor& color) {
    painter.setPen(color);
    painter.drawText(rect.adjusted(kPadding, kPadding, -kPadding, -kPadding), Qt::TextWordWrap | Qt::AlignVCenter, text);
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool last = i == path_.size();
    painter.setPen(QPen(t.quiet, 1));
    if (i > 0) arrow(painter, {all[i].question.center().x(), all[i - 1].question.bottom() + 1}, {all[i].question.center().x(), all[i].question.top()});
    if (!all[i].left.isNull()) arrow(painter, {all[i].question.right() + 1, all[i].left.center().y()}, {all[i].left.left(), all[i].left.center().y()});
    frame(all[i].question, last ? t.accent : t.field, last ? t.accent : t.line);
    write(all[i].question, last ? end_ : questionText(i), last ? t.onAccent : t.text);
    if (!all[i].left.isNull()) write(all[i].left, leftText(i), t.quiet);
  }
}

bool DecisionPath::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const std::vector<Box> all = boxes(width());
  for (std::size_t i = 0; i < path_.size(); ++i) {
    if (!all[i].question.contains(help->pos())) continue;
    QStringList figures;
    for (const std::string& figure : path_[i].figures) figures << QString::fromStdString(figure);
    QToolTip::showText(help->globalPos(), figures.join(u'\n'), this);
    return true;
  }
  QToolTip::hideText();
  return true;
}

}  // namespace quantspot::views
