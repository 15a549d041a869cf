// What forms are put together from.
#pragma once

#include <QHBoxLayout>
#include <QLabel>

namespace quantspot::views {

inline QLabel* quietLabel(const QString& text, QWidget* buddy = nullptr) {
  auto* label = new QLabel(text);
  label->setProperty("role", "quiet");
  label->setBuddy(buddy);
  return label;
}

// Its widgets beside each other, without margins.
inline QHBoxLayout* rowOf(QWidget* widget) {
  auto* row = new QHBoxLayout(widget);
  row->setContentsMargins(0, 0, 0, 0), row->setSpacing(8);
  return row;
}

}  // namespace quantspot::views
