#include "ui/models/policy_filter.h"

#include "ui/models/policy_layers.h"
#include "ui/models/policy_text.h"

namespace quantspot::ui {

void PolicyFilter::setPattern(const QString& pattern) { pattern_ = pattern.trimmed().toLower(), invalidateFilter(); }
void PolicyFilter::setEncoders(bool shown) { encoders_ = shown, invalidateFilter(); }
void PolicyFilter::setDecoder(bool shown) { decoder_ = shown, invalidateFilter(); }
void PolicyFilter::setEverything(bool shown) { everything_ = shown, invalidateFilter(); }

bool PolicyFilter::filterAcceptsRow(int row, const QModelIndex& parent) const {
  const QModelIndex index = sourceModel()->index(row, 0, parent);
  const QString part = index.data(PolicyLayersModel::PartRole).toString();
  const bool encoder = part == QLatin1String("text_encoder"), decoder = part == QLatin1String("vae");
  const bool reached = index.data(PolicyLayersModel::QuantizableRole).toBool() && (!encoder || encoders_) && (!decoder || decoder_);
  const QString name = index.data(PolicyLayersModel::KeyRole).toString().toLower();
  // A piece of such a part's name is found here, too, though as a rule it would have to begin with the part.
  const bool found = pattern_.isEmpty() || matchesLayer(pattern_, name) || ((encoder || decoder) && name.contains(pattern_));
  return (reached || everything_) && found;
}

}  // namespace quantspot::ui
