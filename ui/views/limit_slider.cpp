#include "ui/views/limit_slider.h"

#include <QGridLayout>
#include <QLabel>
#include <QSlider>

#include <algorithm>
#include <cmath>

namespace quantspot::views {
namespace {
constexpr int kLeastSlider = 60;
}

LimitSlider::LimitSlider(const QString& title, std::vector<double> values, QStringList texts, QWidget* parent)
    : QWidget(parent), values_(std::move(values)), texts_(std::move(texts)), slider_(new QSlider(Qt::Horizontal)),
      title_(new QLabel), text_(new QLabel) {
  title_->setProperty("role", "section");
  slider_->setRange(0, static_cast<int>(values_.size()));
  slider_->setPageStep(1);
  slider_->setValue(static_cast<int>(values_.size()));
  setTitle(title);
  text_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  int widest = 0;                          // the slider keeps its length while it is moved
  for (const QString& text : texts_) widest = std::max(widest, text_->fontMetrics().horizontalAdvance(text));
  text_->setMinimumWidth(widest), slider_->setMinimumWidth(kLeastSlider);
  auto* layout = new QGridLayout(this);
  layout->setContentsMargins(0, 0, 0, 0), layout->setVerticalSpacing(2);
  layout->addWidget(title_, 0, 0, 1, 2), layout->addWidget(slider_, 1, 0), layout->addWidget(text_, 1, 1);
  layout->setColumnStretch(0, 1);
  connect(slider_, &QSlider::valueChanged, this, [this] { show(), Q_EMIT changed(); });
  show();
}

void LimitSlider::setTitle(const QString& title) {
  title_->setText(title);
  slider_->setAccessibleName(title);
}

std::optional<double> LimitSlider::value() const {
  const auto at = static_cast<std::size_t>(slider_->value());
  return at < values_.size() ? std::optional(values_[at]) : std::nullopt;
}

void LimitSlider::setValue(std::optional<double> value) {
  std::size_t nearest = values_.size();
  if (value)
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (nearest == values_.size() || std::abs(values_[i] - *value) < std::abs(values_[nearest] - *value)) nearest = i;
  slider_->setValue(static_cast<int>(nearest));
}

void LimitSlider::show() {
  text_->setText(texts_.value(slider_->value()));
}

}  // namespace quantspot::views
