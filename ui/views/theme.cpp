#include "ui/views/theme.h"

#include "ui/models/policy_text.h"

#include <QApplication>
#include <QPalette>
#include <QStyle>
#include <QStyleFactory>
#include <QWidget>

#include <cmath>

namespace quantspot::views {
namespace {

const Theme kLight{false, "#f4f5f6", "#fbfbfc", "#ffffff", "#d5d8dc", "#1d2125", "#646c75", "#2f6db5", "#ffffff", "#1a7842", "#c2403a"};
const Theme kDark{true, "#1f2225", "#26292d", "#2e3236", "#3d4248", "#e6e8ea", "#9aa2ab", "#5b9be6", "#10141a", "#4fbf7b", "#ec7b73"};
Theme current = kLight;

// %1 window, %2 panel, %3 field, %4 line, %5 text, %6 quiet, %7 accent, %8 on accent
constexpr auto kStyle = R"(
QWidget#header, QWidget#recipeBar, QWidget#footer, QFrame#sidePanel { background: %2; }
QWidget#header, QWidget#recipeBar { border-bottom: 1px solid %4; }
QWidget#footer { border-top: 1px solid %4; }
QFrame#sidePanel[side="left"] { border-right: 1px solid %4; }
QFrame#sidePanel[side="right"] { border-left: 1px solid %4; }
QLabel[role="title"] { font-weight: 600; }
QLabel[role="section"] { color: %6; font-weight: 600; }
QLabel[role="quiet"] { color: %6; }
QLabel[role="problem"] { color: %9; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit { background: %3; border: 1px solid %4; border-radius: 4px; padding: 3px 6px; min-height: 20px;
  selection-background-color: %7; selection-color: %8; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus { border-color: %7; }
QComboBox { padding-right: 18px; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url(:/icons/chevron.png); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: %3; border: 1px solid %4; selection-background-color: %7; selection-color: %8; outline: none; }
QSpinBox, QDoubleSpinBox { padding-right: 2px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; border: none; }
QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled, QLineEdit:disabled { color: %6; background: %1; }
QPushButton { background: %3; border: 1px solid %4; border-radius: 4px; padding: 5px 14px; min-height: 18px; }
QPushButton:hover { border-color: %6; }
QPushButton:pressed { background: %4; }
QPushButton:disabled { color: %6; background: %1; }
QPushButton[role="main"] { background: %7; border-color: %7; color: %8; font-weight: 600; min-height: 24px; }
QPushButton[role="main"]:hover { border-color: %5; }
QPushButton[role="main"]:disabled { background: %4; border-color: %4; color: %6; }
QPushButton[large="true"] { min-height: 36px; padding: 5px 18px; }
QPushButton[large="true"]:checked { background: %7; border-color: %7; color: %8; }
QPushButton[role="pick"] { padding: 5px 4px; }
QPushButton[role="pick"]:checked { background: %7; border-color: %7; color: %8; font-weight: 600; }
QRadioButton::indicator, QCheckBox::indicator, QListView::indicator, QTreeView::indicator { width: 12px; height: 12px; border: 1px solid %6; background: %3; }
QRadioButton::indicator { border-radius: 7px; }
QRadioButton::indicator:focus, QCheckBox::indicator:focus { border: 2px solid %7; width: 10px; height: 10px; }
QCheckBox::indicator, QListView::indicator, QTreeView::indicator { border-radius: 3px; }
QRadioButton::indicator:checked { border: 4px solid %7; width: 6px; height: 6px; }
QCheckBox::indicator:checked, QListView::indicator:checked, QTreeView::indicator:checked { border-color: %7; background: %7; image: url(:/icons/CHECK.png); }
QListView#ticks::item { padding: 3px 0; }
QToolButton { border: none; border-radius: 4px; padding: 4px 8px; background: transparent; color: %6; }
QToolButton:hover { background: %4; color: %5; }
QToolButton[role="tab"] { padding: 6px 12px; font-weight: 600; }
QToolButton[role="tab"]:checked { color: %5; background: %1; }
QToolButton:focus, QPushButton:focus { outline: none; border: 1px solid %7; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QToolTip { background: %3; color: %5; border: 1px solid %4; padding: 4px; }
QProgressBar { background: %4; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: %7; border-radius: 2px; }
QToolButton[role="link"] { padding: 2px 0; }
QToolButton[role="link"]:hover { background: transparent; }
QListView { background: %1; border: none; outline: none; }
QWidget#policyEditor { background: %2; }
QTableView { background: %3; border: 1px solid %4; gridline-color: %4; outline: none; selection-background-color: %7; selection-color: %8; }
QTableView::item:disabled { color: %6; }
QHeaderView::section { background: %2; color: %6; border: none; border-bottom: 1px solid %4; padding: 4px 3px; font-weight: 600; }
QFrame#charts { background: %2; border-top: 1px solid %4; }
QScrollBar:vertical { background: transparent; width: 9px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 9px; margin: 0; }
QScrollBar::handle { background: %4; border-radius: 4px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: %6; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
)";

QString styleSheet(const Theme& t) {
  QString style = QString::fromLatin1(kStyle);
  const QColor* colors[] = {&t.window, &t.panel, &t.field, &t.line, &t.text, &t.quiet, &t.accent, &t.onAccent, &t.wrong};
  for (int i = 0; i < 9; ++i) style.replace(QStringLiteral("%") + QString::number(i + 1), colors[i]->name());
  return style.replace(QLatin1String("CHECK"), QLatin1String(t.dark ? "check_dark" : "check"));
}

QPalette palette(const Theme& t) {
  QPalette p(t.text, t.panel, t.field, t.line, t.line, t.text, t.text, t.field, t.window);
  p.setColor(QPalette::Highlight, t.accent);
  p.setColor(QPalette::HighlightedText, t.onAccent);
  p.setColor(QPalette::PlaceholderText, t.quiet);
  p.setColor(QPalette::ToolTipBase, t.field);
  p.setColor(QPalette::ToolTipText, t.text);
  p.setColor(QPalette::Link, t.accent);
  for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) p.setColor(QPalette::Disabled, role, t.quiet);
  return p;
}

}  // namespace

const Theme& theme() { return current; }

void applyTheme(QApplication& application, bool dark) {
  current = dark ? kDark : kLight;
  application.setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  application.setPalette(palette(current));
  application.setStyleSheet(styleSheet(current));
}

void setRole(QWidget* widget, const char* role) {
  if (widget->property("role").toByteArray() == role) return;
  widget->setProperty("role", role);
  widget->style()->unpolish(widget), widget->style()->polish(widget);
}

QColor precisionColor(const QString& precision) {
  const QString id = ui::baseId(precision);
  if (id.startsWith(u"gguf")) return "#7a5bc7";
  if (id.contains(u"fp8")) return "#1d9a95";
  if (id == u"fp32" || id == u"bf16" || id == u"fp16") return "#3577c6";
  if (id.contains(u"int8")) return "#e0862b";
  return id == u"auto" ? "#7d858e" : "#c2468f";
}

// Black or white, whichever is read better: one of them has 4.58 : 1 or more on any colour.
QColor textOn(const QColor& ground) {
  const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
  const double luminance = 0.2126 * linear(ground.redF()) + 0.7152 * linear(ground.greenF()) + 0.0722 * linear(ground.blueF());
  constexpr double kEqual = 0.1791;        // (1.05) / (L + 0.05) = (L + 0.05) / 0.05
  return luminance > kEqual ? QColor(Qt::black) : QColor(Qt::white);
}

}  // namespace quantspot::views
