#include "ui/models/policy_filter.h"

#include "ui/models/policy_layers.h"
#include "ui/models/policy_text.h"

namespace quantspot::ui {

void PolicyFilter::setPattern(const QString& pattern) { pattern_ = pattern.trimmed().toLower(), invalidateFilter(); }
void PolicyFilter::setEncoders(bool shown) { encoders_ = shown, invalidateFilter(); }
void PolicyFilter::setEverything(bool shown) { everything_ = shown, invalidateFilter(); }

bool PolicyFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const QModelIndex index = sourceModel()->index(row, 0, parent);
  const bool encoder = index.data(PolicyLayersModel::PartRole).toString() == QLatin1String("text_encoder");
  const bool reached = index.data(PolicyLayersModel::QuantizableRole).toBool() && (!encoder || encoders_);
  const QString name = index.data(PolicyLayersModel::NameRole).toString();
  // A piece of an encoder's name is found here, too, though as a rule it would have to begin with text_encoder.
  const bool found = pattern_.isEmpty() || matchesLayer(pattern_, name.toLower()) || (encoder && name.toLower().contains(pattern_));
  return (reached || everything_) && found;
}

}  // namespace quantspot::ui
