#include "ui/views/short_label.h"

namespace quantspot::views {

ShortLabel::ShortLabel(QWidget* parent) : QLabel(parent) {
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  setTextFormat(Qt::PlainText);
}

void ShortLabel::setLine(const QString& line) {
  line_ = line;
  setToolTip(line), setAccessibleName(line);
  cut();
}

void ShortLabel::cut() { setText(fontMetrics().elidedText(line_, Qt::ElideRight, contentsRect().width())); }

void ShortLabel::resizeEvent(QResizeEvent* event) {
  QLabel::resizeEvent(event);
  cut();
}

}  // namespace quantspot::views
