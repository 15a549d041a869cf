#include "ui/views/view_bar.h"

#include "ui/views/image_grid.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QStackedLayout>
#include <QToolButton>

namespace quantspot::views {
namespace {

// Part of the grey around the pictures, in both themes; black is read better on it (4.7 : 1) than white (4.48 : 1).
constexpr auto kStyle = R"(
QWidget { background: rgb(119,119,119); color: #000000; }
QToolButton { color: #000000; background: transparent; border: 1px solid transparent; padding: 3px 10px; }
QToolButton:hover { background: #8a8a8a; }
QToolButton:checked { background: #4d4d4d; color: #f2f2f2; }
QToolButton:focus { border-color: #000000; }
)";

}  // namespace

ViewBar::ViewBar(ImageGrid* grid, QWidget* parent)
    : QWidget(parent), grid_(grid), stack_(new QStackedLayout(this)), modes_(new QButtonGroup(this)), hints_(new QLabel), rate_(new QLabel) {
  setAttribute(Qt::WA_StyledBackground);
  setStyleSheet(QString::fromLatin1(kStyle));
  setFixedHeight(36);
  stack_->addWidget(makeHints());
  stack_->addWidget(makeModes());
  connect(grid_, &ImageGrid::modeChanged, this, &ViewBar::refresh);
  refresh();
}

QWidget* ViewBar::makeHints() {
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.9);
  hints_->setFont(small);
  hints_->setAlignment(Qt::AlignCenter);
  hints_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  return hints_;
}

QWidget* ViewBar::makeModes() {
  auto* bar = new QWidget;
  auto* layout = new QHBoxLayout(bar);
  layout->setContentsMargins(14, 0, 14, 4), layout->setSpacing(4);
  const auto add = [&](const QString& text, ImageGrid::Mode mode, const QString& tip) {
    auto* button = new QToolButton;
    button->setText(text), button->setToolTip(tip), button->setCheckable(true);
    button->setFocusPolicy(Qt::NoFocus);               // the pictures keep the keys
    modes_->addButton(button, static_cast<int>(mode));
    layout->addWidget(button);
  };
  layout->addStretch(1);
  add(QStringLiteral("‹ All"), ImageGrid::Mode::Grid, QStringLiteral("Esc"));
  add(QStringLiteral("One"), ImageGrid::Mode::Single, QStringLiteral("1 to 9 put a picture in place of another"));
  add(QStringLiteral("Side by side"), ImageGrid::Mode::Pair, {});
  add(QStringLiteral("Slider"), ImageGrid::Mode::Slider, QStringLiteral("S; left and right arrow"));
  add(QStringLiteral("Flicker"), ImageGrid::Mode::Flicker, QStringLiteral("F"));
  connect(modes_, &QButtonGroup::idClicked, this, [this](int id) { grid_->setMode(static_cast<ImageGrid::Mode>(id)); });
  flicker_ = new QWidget;
  auto* rate = new QHBoxLayout(flicker_);
  rate->setContentsMargins(8, 0, 0, 0), rate->setSpacing(2);
  for (const double step : {-0.5, 0.5}) {
    auto* button = new QToolButton;
    button->setText(step < 0 ? QStringLiteral("−") : QStringLiteral("+"));
    button->setToolTip(step < 0 ? QStringLiteral("Slower (arrow down)") : QStringLiteral("Faster (arrow up)"));
    button->setFocusPolicy(Qt::NoFocus), button->setAutoRepeat(true);
    connect(button, &QToolButton::clicked, this, [this, step] { grid_->setFlickerRate(grid_->flickerRate() + step); });
    if (step > 0) rate->addWidget(rate_);
    rate->addWidget(button);
  }
  layout->addWidget(flicker_);
  layout->addStretch(1);
  return bar;
}

// As much as there is room for.
void ViewBar::showHints() {
  if (grid_->count() == 0) return hints_->setText({});
  const QString gap = QStringLiteral("    "), swap = QStringLiteral("1–%1: swap in place").arg(grid_->count());
  QStringList parts{QStringLiteral("wheel: zoom all"), QStringLiteral("drag: pan"), QStringLiteral("0: fit"),
                    QStringLiteral("Ctrl+click two: slider, flicker"), swap};
  hints_->setToolTip(parts.join(u'\n') + QStringLiteral("\nF1: all keys"));
  while (parts.size() > 1 && hints_->fontMetrics().horizontalAdvance(parts.join(gap)) > width()) parts.removeLast();
  hints_->setText(parts.join(gap));
}

void ViewBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  showHints();
}

void ViewBar::refresh() {
  const ImageGrid::Mode mode = grid_->mode();
  showHints();
  stack_->setCurrentIndex(mode == ImageGrid::Mode::Grid ? 0 : 1);
  if (QAbstractButton* button = modes_->button(static_cast<int>(mode))) button->setChecked(true);
  rate_->setText(QStringLiteral("%1 per second").arg(grid_->flickerRate(), 0, 'f', 1));
  flicker_->setVisible(mode == ImageGrid::Mode::Flicker);
}

}  // namespace quantspot::views
