// What is wrong with a window as it stands on screen: texts that are cut off, forms that scroll sideways, controls without a name, grey on grey.
#pragma once

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QRegularExpression>
#include <QScrollArea>
#include <QScrollBar>
#include <QSlider>
#include <QTest>
#include <QTextDocument>

#include <algorithm>
#include <cmath>
#include <map>

namespace quantspot::views {

inline QString textOf(const QWidget& widget) {
  if (const auto* label = qobject_cast<const QLabel*>(&widget)) return label->text();
  if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) return button->text();
  return {};
}

// The page on which a widget is laid out: what its nearest scroll area scrolls, or the window.
inline const QWidget* pageOf(const QWidget* widget, const QWidget& window) {
  for (const QWidget* above = widget->parentWidget(); above && above != &window; above = above->parentWidget())
    if (const auto* scroll = qobject_cast<const QScrollArea*>(above)) return scroll->widget();
  return &window;
}

// Of spin boxes what they say, too: a number whose unit is outside is another number.
inline bool isNarrow(const QWidget& widget) {
  if (const auto* spin = qobject_cast<const QAbstractSpinBox*>(&widget)) {
    const auto* edit = spin->findChild<QLineEdit*>();
    return edit && edit->fontMetrics().horizontalAdvance(edit->text()) + 4 > edit->width();
  }
  const auto* label = qobject_cast<const QLabel*>(&widget);
  if (label && label->wordWrap()) return widget.height() < label->heightForWidth(label->width());
  if (label && Qt::mightBeRichText(label->text())) return widget.width() < label->minimumSizeHint().width();
  QString text = textOf(widget);
  if (!label || label->buddy()) text.replace(QRegularExpression(QStringLiteral("&(.)")), QStringLiteral("\\1"));   // keys of mnemonics
  int wide = 0;
  for (const QString& line : text.split(u'\n')) wide = std::max(wide, widget.fontMetrics().horizontalAdvance(line));
  return widget.width() < wide || widget.height() < widget.fontMetrics().height();
}

inline QStringList cutOff(const QWidget& window) {
  QStringList cut;
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    const bool spin = qobject_cast<const QAbstractSpinBox*>(widget);
    if (widget->window() != &window || !widget->isVisible() || (textOf(*widget).isEmpty() && !spin)) continue;
    const QWidget* page = pageOf(widget, window);
    const QRect place(widget->mapTo(page, QPoint()), widget->size());
    if (page->rect().contains(place) && !isNarrow(*widget)) continue;
    cut << QStringLiteral("“%1” (%2) %3 × %4 at %5, %6").arg(textOf(*widget), widget->accessibleName()).arg(place.width()).arg(place.height())
               .arg(place.x()).arg(place.y());
  }
  return cut;
}

inline QStringList sideways(const QWidget& window) {
  QStringList wide;
  for (const auto* scroll : window.findChildren<QScrollArea*>())
    if (scroll->isVisible() && scroll->widget() && scroll->widget()->width() > scroll->viewport()->width())
      wide << QStringLiteral("%1 of %2: %3 > %4").arg(QString::fromLatin1(scroll->widget()->metaObject()->className()),
          QString::fromLatin1(scroll->parentWidget()->metaObject()->className())).arg(scroll->widget()->width()).arg(scroll->viewport()->width());
  return wide;
}

inline bool wantsName(const QWidget& widget) {
  if (qobject_cast<const QScrollBar*>(&widget) || qobject_cast<const QHeaderView*>(&widget) || widget.inherits("QTableCornerButton")) return false;
  const QWidget* above = widget.parentWidget();
  if (qobject_cast<const QAbstractSpinBox*>(above) || qobject_cast<const QComboBox*>(above)) return false;   // their own fields
  return qobject_cast<const QAbstractButton*>(&widget) || qobject_cast<const QLineEdit*>(&widget) || qobject_cast<const QComboBox*>(&widget)
      || qobject_cast<const QAbstractSpinBox*>(&widget) || qobject_cast<const QAbstractSlider*>(&widget)
      || qobject_cast<const QAbstractItemView*>(&widget) || qobject_cast<const QPlainTextEdit*>(&widget)
      || (widget.focusPolicy() & Qt::TabFocus && !qobject_cast<const QAbstractScrollArea*>(&widget) && !qobject_cast<const QLabel*>(&widget));
}

// What screen readers say; of a box of choices Qt tells the choice, so its own name is asked for.
inline QString nameOf(QWidget* widget, const QWidget& window) {
  if (!qobject_cast<QComboBox*>(widget)) {
    QAccessibleInterface* said = QAccessible::queryAccessibleInterface(widget);
    return said ? said->text(QAccessible::Name) : QString();
  }
  if (!widget->accessibleName().isEmpty()) return widget->accessibleName();
  for (const QLabel* label : window.findChildren<QLabel*>())
    if (label->buddy() == widget) return label->text();
  return {};
}

// A name has a letter: “…” and “×” say nothing.
inline QStringList nameless(const QWidget& window) {
  QStringList missing;
  for (QWidget* widget : window.findChildren<QWidget*>()) {
    if (widget->window() != &window || !widget->isVisible() || !wantsName(*widget)) continue;
    const QString name = nameOf(widget, window);
    if (std::ranges::any_of(name, [](QChar c) { return c.isLetterOrNumber(); })) continue;
    missing << QStringLiteral("%1 “%2” in %3").arg(QString::fromLatin1(widget->metaObject()->className()), name,
        QString::fromLatin1(widget->parentWidget()->metaObject()->className()));
  }
  return missing;
}

// Relative luminance and contrast of WCAG 2.
inline double luminance(QRgb colour) {
  const auto linear = [](int channel) {
    const double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(qRed(colour)) + 0.7152 * linear(qGreen(colour)) + 0.0722 * linear(qBlue(colour));
}

// Of the ground, the colour that is seen most, and what differs from it most; edges of letters lie between.
inline double contrastOf(const QImage& picture) {
  std::map<QRgb, int> seen;
  for (int y = 0; y < picture.height(); ++y)
    for (int x = 0; x < picture.width(); ++x) ++seen[picture.pixel(x, y)];
  const QRgb ground = std::ranges::max_element(seen, {}, [](const auto& one) { return one.second; })->first;
  double most = 1;
  for (const auto& [colour, count] : seen) {
    const auto [dark, light] = std::minmax({luminance(colour), luminance(ground)});
    most = std::max(most, (light + 0.05) / (dark + 0.05));
  }
  return most;
}

// Texts of labels and of buttons that can be pressed, below 4.5 : 1.
inline QStringList faint(const QWidget& window, const QImage& shot) {
  QStringList found;
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    if (widget->window() != &window || !widget->isVisible() || !widget->isEnabled() || textOf(*widget).trimmed().isEmpty()) continue;
    if (widget->visibleRegion().boundingRect() != widget->rect()) continue;   // scrolled out
    const QRect place = QRect(widget->mapTo(&window, QPoint()), widget->size()).adjusted(2, 2, -2, -2);
    const double contrast = contrastOf(shot.copy(place));
    if (contrast < 4.5) found << QStringLiteral("“%1”: %2").arg(textOf(*widget)).arg(contrast, 0, 'f', 2);
  }
  return found;
}

// Everything that is still wrong when the window has come to rest, a line each.
inline QString faults(QWidget& window) {
  QStringList all;
  const auto add = [&](const QString& what, const QStringList& lines) {
    for (const QString& line : lines) all << what + QStringLiteral(": ") + line;
  };
  (void)QTest::qWaitFor([&] {
    all.clear();
    const QImage shot = window.grab().toImage();           // lays everything out
    add(QStringLiteral("cut off"), cutOff(window)), add(QStringLiteral("sideways"), sideways(window));
    add(QStringLiteral("no name"), nameless(window)), add(QStringLiteral("faint"), faint(window, shot));
    return all.isEmpty();
  }, 5000);
  return all.join(u'\n');
}

}  // namespace quantspot::views
