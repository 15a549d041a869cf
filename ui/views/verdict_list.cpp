#include "ui/views/verdict_list.h"

#include "ui/views/theme.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QRegularExpression>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

// Red: seen, or judged worse. Green: shown not to be noticeable. Grey: nothing shown.
QColor colorOf(const QJsonObject& part, const QString& variant) {
  bool within = false, open = false;
  for (const QJsonValue& f : part["detection"].toArray()) {
    if (f["variant"].toString() != variant) continue;
    const QString verdict = f["verdict"].toString();
    if (verdict == QLatin1String("noticeable")) return theme().wrong;
    (verdict == QLatin1String("not-noticeable") ? within : open) = true;
  }
  for (const QJsonValue& item : part["preference"]["abilities"].toArray())
    if (item["variant"].toString() == variant && item["verdict"].toString() == QLatin1String("worse")) return theme().wrong;
  return within && !open ? theme().right : theme().quiet;
}

}  // namespace

QString verdictHtml(const QString& decision) {
  static const QRegularExpression code(QStringLiteral("`([^`]*)`")), numbers(QStringLiteral("\\(([^()]*(?:\\([^()]*\\)[^()]*)*)\\)"));
  QString html = decision.toHtmlEscaped();
  html.replace(code, QStringLiteral("<b>\\1</b>"));
  html.replace(numbers, QStringLiteral("<span style='color:%1; font-size:small'>(\\1)</span>").arg(theme().quiet.name()));
  return html.replace(QStringLiteral("; it "), QStringLiteral(";<br>it "));
}

VerdictList::VerdictList(QWidget* parent) : QWidget(parent), column_(new QVBoxLayout(this)) {
  column_->setContentsMargins(0, 0, 0, 0), column_->setSpacing(10);
}

int VerdictList::count() const { return column_->count(); }

void VerdictList::setPart(const QJsonObject& part, const QStringList& tested) {
  part_ = part, tested_ = tested;
  fill();
}

void VerdictList::fill() {
  while (QLayoutItem* item = column_->takeAt(0)) {
    item->widget()->hide();
    item->widget()->deleteLater();          // a change of the theme goes through a list of all widgets, these among them
    delete item;
  }
  const QJsonArray decisions = part_["decisions"].toArray();
  for (qsizetype i = 0; i < decisions.size(); ++i) {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0), layout->setSpacing(12);
    auto* bar = new QFrame;
    bar->setFixedWidth(4);
    bar->setStyleSheet(QStringLiteral("background: %1").arg(colorOf(part_, tested_.value(i)).name()));
    auto* text = new QLabel(verdictHtml(decisions[i].toString()));
    text->setTextFormat(Qt::RichText), text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    text->setAccessibleName(decisions[i].toString());
    QFont large = text->font();
    large.setPointSizeF(large.pointSizeF() * 1.25);
    text->setFont(large);
    layout->addWidget(bar), layout->addWidget(text, 1);
    column_->addWidget(row);
  }
}

void VerdictList::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) fill();
  QWidget::changeEvent(event);
}

}  // namespace quantspot::views
