#include "ui/views/eyes_chart.h"

#include "ui/models/precision_names.h"
#include "ui/views/confusion_colours.h"
#include "ui/views/theme.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr double kTitle = 28, kRate = 46, kTallestRow = 40;

QFont smaller(const QFont& font) {
  QFont result = font;
  result.setPointSizeF(font.pointSizeF() * 0.85);
  return result;
}

QString ratingsTip(const std::vector<study::RatingMean>& ratings) {
  QStringList lines;
  for (const study::RatingMean& one : ratings) {
    lines << QStringLiteral("%1: %2, N = %3").arg(one.precision, study::gradeText(one.mean)).arg(one.mean.n);
    if (one.change) lines.back() += QStringLiteral("; against bf16 %1, N = %2").arg(study::changeText(*one.change)).arg(one.change->n);
  }
  return lines.join(u'\n');
}

}  // namespace

EyesChart::EyesChart(QWidget* parent) : QWidget(parent) {}

void EyesChart::setRatings(std::vector<study::RatingMean> means) { ratings_ = std::move(means), update(); }

void EyesChart::setHitRate(const study::HitRate& rate) { rate_ = rate, update(); }

void EyesChart::setConfusion(QStringList order, std::vector<study::ConfusionCell> counts) {
  counts_ = std::move(counts);
  order.removeIf([this](const QString& name) {
    return std::none_of(counts_.begin(), counts_.end(), [&](const auto& entry) { return entry.truth == name || entry.choice == name; });
  });
  order_ = std::move(order);
  update();
}

int EyesChart::count(const QString& truth, const QString& guess) const {
  int sum = 0;
  for (const study::ConfusionCell& entry : counts_) sum += entry.truth == truth && entry.choice == guess ? entry.count : 0;
  return sum;
}

void EyesChart::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  QFont title = font();
  title.setWeight(QFont::DemiBold);
  painter.setFont(title), painter.setPen(theme().text);
  painter.drawText(QRectF(0, 0, width(), kTitle), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("Your eyes"));
  painter.setFont(smaller(font()));
  if (!ratings_.empty()) return paintRatings(painter, QRectF(0, kTitle, width(), height() - kTitle));
  paintRate(painter, QRectF(0, kTitle, width(), kRate));
  paintMatrix(painter, matrixArea());
}

QRectF EyesChart::matrixArea() const { return QRectF(0, kTitle + kRate + 4, width(), height() - kTitle - kRate - 4); }

// A line from 0 to 100 %: the interval as a band, the rate as a dot, chance as a tick.
void EyesChart::paintRate(QPainter& painter, QRectF area) const {
  const Theme& t = theme();
  painter.setPen(t.quiet);
  const QRectF text(area.left(), area.top(), area.width(), 18);
  if (rate_.tiles == 0) return painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("no answers yet"));
  painter.drawText(text, Qt::AlignLeft | Qt::AlignVCenter, painter.fontMetrics().elidedText(rate_.text(), Qt::ElideRight, int(text.width())));
  const double y = area.top() + 31, left = area.left() + 6, width = area.width() - 12;
  const auto x = [&](double value) { return left + std::clamp(value, 0.0, 1.0) * width; };
  painter.setPen(QPen(t.line, 2)), painter.drawLine(QPointF(left, y), QPointF(left + width, y));
  QColor band = t.accent;
  band.setAlphaF(0.35F);
  painter.setPen(Qt::NoPen), painter.setBrush(band);
  painter.drawRect(QRectF(x(rate_.low), y - 4, x(rate_.high) - x(rate_.low), 8));
  painter.setPen(QPen(t.text, 1.5)), painter.drawLine(QPointF(x(rate_.chance), y - 8), QPointF(x(rate_.chance), y + 8));
  painter.setPen(Qt::NoPen), painter.setBrush(t.accent), painter.drawEllipse(QPointF(x(rate_.rate), y), 5, 5);
}

// A line from 1 to 5 per precision: the interval as a band, the mean as a dot, and in words what lies between it and bf16.
void EyesChart::paintRatings(QPainter& painter, QRectF area) const {
  constexpr double kAxis = 18, kNames = 0.27, kWords = 0.36;
  const Theme& t = theme();
  const double rows = static_cast<double>(ratings_.size()), h = std::min(kTallestRow, (area.height() - kAxis) / rows);
  const double left = area.left() + area.width() * kNames + 6, right = area.right() - area.width() * kWords - 10;
  const auto x = [&](double grade) { return left + (grade - 1) / 4 * (right - left); };
  painter.setPen(t.quiet);
  painter.drawText(QRectF(area.left(), area.top(), area.width() * kNames, kAxis), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("mean grade"));
  painter.drawText(QRectF(right + 10, area.top(), area.right() - right - 10, kAxis), Qt::AlignLeft | Qt::AlignVCenter,
      QStringLiteral("against bf16"));
  for (int grade = 1; grade <= 5; ++grade)
    painter.drawText(QRectF(x(grade) - 10, area.top(), 20, kAxis), Qt::AlignCenter, QString::number(grade));
  for (std::size_t i = 0; i < ratings_.size(); ++i) {
    const study::RatingMean& one = ratings_[i];
    const double top = area.top() + kAxis + h * static_cast<double>(i), y = top + h / 2;
    const QRectF names(area.left(), top, area.width() * kNames, h), words(right + 10, top, area.right() - right - 10, h);
    const auto elided = [&](const QString& text,
        const QRectF& place) { return painter.fontMetrics().elidedText(text, Qt::ElideRight, int(place.width())); };
    painter.setPen(t.text);
    painter.drawText(names, Qt::AlignLeft | Qt::AlignVCenter, elided(ui::shortName(one.precision), names));
    painter.setPen(QPen(t.line, 2)), painter.drawLine(QPointF(x(1), y), QPointF(x(5), y));
    QColor colour = precisionColor(one.precision);
    painter.setPen(Qt::NoPen), painter.setBrush(colour), painter.drawEllipse(QPointF(x(one.mean.value), y), 4, 4);
    colour.setAlphaF(0.35F);
    painter.setBrush(colour);
    if (one.mean.ci95) painter.drawRect(QRectF(QPointF(x(one.mean.ci95->first), y - 4), QPointF(x(one.mean.ci95->second), y + 4)));
    painter.setPen(t.quiet);
    const QString change = one.change ? study::changeText(*one.change) + QStringLiteral(", N = %1").arg(one.change->n)
                                      : QStringLiteral("%1, N = %2").arg(study::gradeText(one.mean)).arg(one.mean.n);
    painter.drawText(words, Qt::AlignLeft | Qt::AlignVCenter, elided(change, words));
  }
}

// The square part of the matrix, beside the names of the rows and below those of the columns.
QRectF EyesChart::cellsArea(QRectF area) const {
  double names = 0;
  const QFontMetricsF metrics(smaller(font()));
  for (const QString& name : order_) names = std::max(names, metrics.horizontalAdvance(QStringLiteral("9  ") + ui::shortName(name)));
  names = std::min(names + 8, area.width() * 0.45);
  return area.adjusted(names, 16, 0, 0);
}

void EyesChart::paintMatrix(QPainter& painter, QRectF area) const {
  if (order_.isEmpty() || rate_.tiles == 0) return;
  const Theme& t = theme();
  const QRectF cells = cellsArea(area);
  const double w = cells.width() / order_.size(), h = std::min(kTallestRow, cells.height() / order_.size());
  const QFontMetricsF metrics(painter.font());
  painter.setPen(t.quiet);
  painter.drawText(QRectF(0, area.top(), cells.left(), 16), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("taken for"));
  for (qsizetype column = 0; column < order_.size(); ++column)
    painter.drawText(QRectF(cells.left() + column * w, area.top(), w, 16), Qt::AlignCenter, QString::number(column + 1));
  for (qsizetype row = 0; row < order_.size(); ++row) {
    const double y = cells.top() + row * h;
    int shown = 0;
    for (const QString& guess : order_) shown += count(order_[row], guess);
    painter.setPen(t.text);
    const QString name = QStringLiteral("%1  %2").arg(row + 1).arg(ui::shortName(order_[row]));
    painter.drawText(QRectF(0, y, cells.left() - 6, h), Qt::AlignLeft | Qt::AlignVCenter,
                     metrics.elidedText(name, Qt::ElideRight, int(cells.left() - 6)));
    for (qsizetype column = 0; column < order_.size(); ++column) {
      const int n = count(order_[row], order_[column]);
      const QRectF cell(cells.left() + column * w + 1, y + 1, w - 2, h - 2);
      const CellColours colours = confusionColours(row == column, n ? double(n) / shown : 0);
      painter.fillRect(cell, colours.ground);
      painter.setPen(colours.text);
      painter.drawText(cell, Qt::AlignCenter, QString::number(n));
    }
  }
}

bool EyesChart::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  auto* help = static_cast<QHelpEvent*>(event);
  if (const QString said = tipAt(help->pos()); !said.isEmpty()) QToolTip::showText(help->globalPos(), said, this);
  else QToolTip::hideText();
  return true;
}

QString EyesChart::tipAt(QPoint at) const {
  if (!ratings_.empty()) return ratingsTip(ratings_);
  if (rate_.tiles > 0 && at.y() < kTitle + kRate) return rate_.text() + u'\n' + study::hitRateMethod();
  if (order_.isEmpty()) return {};
  const QRectF cells = cellsArea(matrixArea());
  const double w = cells.width() / order_.size(), h = std::min(kTallestRow, cells.height() / order_.size());
  const int column = int((at.x() - cells.left()) / w), row = int((at.y() - cells.top()) / h);
  const bool inside = at.x() >= cells.left() && at.y() >= cells.top() && row < order_.size() && column < order_.size();
  return inside ? QStringLiteral("%1 was taken for %2 %3 times").arg(order_[row], order_[column]).arg(count(order_[row], order_[column])) : QString();
}

}  // namespace quantspot::views
