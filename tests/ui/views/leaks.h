// Everything a screen says without its pixels: what an automated participant could read before the answer.
#pragma once

#include <QAbstractButton>
#include <QAccessible>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMetaProperty>
#include <QWidget>

namespace quantspot::views {

// Object names, classes, tips, accessible texts and visible texts of a widget and all below it, one line each.
inline QStringList saidBy(const QWidget* root) {
  QStringList said;
  QList<const QWidget*> widgets{root};
  for (const QWidget* child : root->findChildren<QWidget*>()) widgets << child;
  for (const QWidget* widget : widgets) {
    QStringList line{QString::fromLatin1(widget->metaObject()->className()), widget->objectName(), widget->toolTip(), widget->statusTip(),
                     widget->whatsThis(), widget->accessibleName(), widget->accessibleDescription(), widget->windowTitle()};
    for (const QByteArray& name : widget->dynamicPropertyNames()) line << QString::fromLatin1(name) << widget->property(name).toString();
    if (const auto* label = qobject_cast<const QLabel*>(widget)) line << label->text();
    if (const auto* button = qobject_cast<const QAbstractButton*>(widget)) line << button->text() << QString::number(button->isChecked());
    if (const auto* edit = qobject_cast<const QLineEdit*>(widget)) line << edit->text();
    if (const auto* combo = qobject_cast<const QComboBox*>(widget)) {
      line << combo->currentText();
      for (int i = 0; i < combo->count(); ++i) line << combo->itemText(i) << combo->itemData(i).toString();
    }
    line << QString::number(widget->isEnabled()) << QString::number(widget->isVisible());
    if (widget->isVisible()) line << QString::number(widget->width());   // a hidden one keeps what it had
    said << line.join(u'|');
  }
  return said;
}

inline void addAccessible(QAccessibleInterface* node, QStringList& said) {
  if (!node) return;
  said << QStringList{node->text(QAccessible::Name), node->text(QAccessible::Description), node->text(QAccessible::Value), node->text(QAccessible::Help)}.join(u'|');
  for (int i = 0; i < node->childCount(); ++i) addAccessible(node->child(i), said);
}

// The accessibility tree, as a screen reader walks it.
inline QStringList saidToReaders(QWidget* root) {
  QStringList said;
  addAccessible(QAccessible::queryAccessibleInterface(root), said);
  return said;
}

}  // namespace quantspot::views
