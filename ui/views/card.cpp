#include "ui/views/card.h"

#include "ui/views/draft_form.h"
#include "ui/views/theme.h"

#include "ui/views/plot.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>

namespace quantspot::views {

Card::Card(const QString& title, QWidget* parent)
    : QWidget(parent), titleRow_(new QHBoxLayout), column_(new QVBoxLayout(this)), title_(new QLabel(title)), note_(new QLabel),
      method_(new QToolButton) {
  title_->setProperty("role", "title");
  title_->setFixedHeight(28), title_->setMinimumWidth(60);   // narrow cards cut it
  note_->setProperty("role", "quiet");
  note_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  note_->setFont(smallFont());
  method_->setText(tr("how?")), method_->setProperty("role", "link"), method_->hide();
  method_->setAccessibleName(tr("How it was obtained"));
  connect(method_, &QToolButton::clicked, this, [this] {
    QToolTip::showText(method_->mapToGlobal(QPoint(0, method_->height())), method_->toolTip(), method_);
  });
  column_->setContentsMargins(0, 0, 0, 0), column_->setSpacing(2);
  titleRow_->setContentsMargins(0, 0, 0, 0);
  titleRow_->addWidget(title_), titleRow_->addWidget(method_), titleRow_->addStretch(1);
  column_->addLayout(titleRow_), column_->addWidget(note_);
}

void Card::setContent(QWidget* content) { column_->addWidget(content, 1); }
void Card::addToTitle(QWidget* widget) {
  titleRow_->addWidget(widget);
  leaveWheelToPage(widget);
}

void Card::wrapNote() { note_->setWordWrap(true); }
void Card::setNote(const QString& note) { note_->setText(note); }
QString Card::note() const { return note_->text(); }

QFont Card::smallFont() const {
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.88);
  return small;
}

void Card::setMethod(const QString& method) {
  // Rich text, so that a tip of several sentences is wrapped.
  method_->setToolTip(method.isEmpty() ? QString() : QStringLiteral("<p>%1</p>").arg(method.toHtmlEscaped()));
  method_->setAccessibleDescription(method);
  method_->setVisible(!method.isEmpty());
}

QString Card::method() const { return method_->accessibleDescription(); }

PlotCard::PlotCard(const QString& title, QWidget* parent) : Card(title, parent), plot_(new QCustomPlot) {
  plot_->setMinimumSize(160, 110);
  plot_->setMouseTracking(true);
  plot_->installEventFilter(this);
  leaveWheelToPage(plot_);                                   // a page of charts scrolls wherever the mouse is
  plot_->setFocusPolicy(Qt::NoFocus), plot_->setAccessibleName(title);
  setContent(plot_);
}

void PlotCard::styleAxis(QCPAxis* axis) {
  const Theme& t = theme();
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.85);
  axis->setBasePen(QPen(t.line)), axis->setTickPen(Qt::NoPen), axis->setSubTickPen(Qt::NoPen);
  axis->setTickLabelColor(t.quiet), axis->setLabelColor(t.quiet);
  axis->setTickLabelFont(small), axis->setLabelFont(small);
  axis->grid()->setPen(QPen(t.line, 1)), axis->grid()->setZeroLinePen(Qt::NoPen);
  axis->grid()->setVisible(false);
  axis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  axis->setLabel({}), axis->setTickLabelPadding(4), axis->setLabelPadding(2), axis->setScaleType(QCPAxis::stLinear);
}

void PlotCard::redraw() {
  forget();
  plot_->clearPlottables(), plot_->clearItems();
  plot_->setBackground(theme().panel);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) styleAxis(axis);
  plot_->legend->setVisible(false);
  if (hasData()) draw();
  else setNote({});
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void PlotCard::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange) redraw();
  QWidget::changeEvent(event);
}

bool PlotCard::eventFilter(QObject* watched, QEvent* event) {
  if (watched == plot_ && event->type() == QEvent::MouseMove) {
    auto* mouse = static_cast<QMouseEvent*>(event);
    const QString tip = tipAt(mouse->position());
    if (tip.isEmpty()) QToolTip::hideText();
    else QToolTip::showText(mouse->globalPosition().toPoint(), tip, plot_);
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace quantspot::views
