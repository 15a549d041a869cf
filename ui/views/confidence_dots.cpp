#include "ui/views/confidence_dots.h"

#include "ui/views/theme.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

namespace quantspot::views {
namespace {
constexpr int kDots = 5, kPitch = 22;
}

ConfidenceDots::ConfidenceDots(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setAccessibleName(QStringLiteral("How sure, 1 to 5"));
  setToolTip(QStringLiteral("How sure are you? 1 guessed, 5 certain"));
}

void ConfidenceDots::setValue(int value) {
  value_ = std::clamp(value, 0, kDots);
  update();
}

void ConfidenceDots::paintEvent(QPaintEvent*) {
  const Theme& t = theme();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  for (int i = 1; i <= kDots; ++i) {
    const bool on = i <= value_;
    painter.setPen(QPen(on ? t.accent : t.quiet, 1.4));
    painter.setBrush(on ? QBrush(t.accent) : QBrush(Qt::NoBrush));
    painter.drawEllipse(QPointF(kPitch * (i - 0.5), height() / 2.0), 6, 6);
  }
  if (!hasFocus()) return;
  painter.setPen(QPen(t.accent, 1)), painter.setBrush(Qt::NoBrush);
  painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
}

void ConfidenceDots::mousePressEvent(QMouseEvent* event) {
  const int value = std::clamp(static_cast<int>(event->position().x() / kPitch) + 1, 1, kDots);
  Q_EMIT chosen(value);
}

void ConfidenceDots::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  if (key == Qt::Key_Left || key == Qt::Key_Right) Q_EMIT chosen(std::clamp(value_ + (key == Qt::Key_Left ? -1 : 1), 1, kDots));
  else if (key >= Qt::Key_1 && key <= Qt::Key_5) Q_EMIT chosen(key - Qt::Key_0);
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
