#include "ui/models/policy_layers.h"

#include "ui/models/policy_text.h"
#include "ui/models/precision_list_model.h"

#include <algorithm>
#include <numeric>

namespace quantspot::ui {
namespace {

QVariant alignment(int column) {   // figures to the right
  const bool figure = column == PolicyLayersModel::Share || column >= PolicyLayersModel::Before;
  return QVariant((figure ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
}

}  // namespace

qint64 PolicyLayer::parameters() const { return std::accumulate(shape.begin(), shape.end(), qint64{1}, std::multiplies<>()); }

QString errorText(double error) {
  const double percent = 100 * error;
  return QStringLiteral("%1\u2009%").arg(percent, 0, 'f', percent < 0.1 ? 3 : percent < 10 ? 2 : 1);
}

QString shapeText(const std::vector<std::int64_t>& shape) {
  QStringList sizes;
  for (const std::int64_t size : shape) sizes << QString::number(size);
  return sizes.join(QStringLiteral(" × "));
}

void PolicyLayersModel::setLayers(std::vector<PolicyLayer> layers) {
  beginResetModel();
  layers_ = std::move(layers);
  frame_ = QStringList(static_cast<qsizetype>(layers_.size()));
  parameters_ = 0;
  for (const PolicyLayer& layer : layers_) parameters_ += layer.parameters();
  endResetModel();
}

void PolicyLayersModel::setAsked(const QStringList& asked, const QStringList& frame) {
  qsizetype next = 0;
  for (std::size_t row = 0; row < layers_.size() && next < asked.size(); ++row) {
    if (!layers_[row].quantizable) continue;
    if (layers_[row].asked != asked[next]) layers_[row].held.clear(), layers_[row].after = -1;
    layers_[row].asked = asked[next];
    frame_[static_cast<qsizetype>(row)] = frame[next++];
  }
  if (!layers_.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

void PolicyLayersModel::setErrors(QHash<QString, double> errors) {
  errors_ = std::move(errors);
  if (!layers_.empty()) Q_EMIT dataChanged(index(0, Error), index(rowCount() - 1, Error));
}

void PolicyLayersModel::setHeld(const std::vector<protocol::LayerEntry>& held) {
  QHash<QString, const protocol::LayerEntry*> found;
  for (const protocol::LayerEntry& entry : held) found.insert(QString::fromStdString(entry.component + '/' + entry.name), &entry);
  for (PolicyLayer& layer : layers_) {
    const protocol::LayerEntry* entry = found.value(layer.part + u'/' + layer.name);
    layer.held = entry ? QString::fromStdString(entry->precision) : QString();
    layer.after = entry ? entry->bytes : -1;
  }
  if (!layers_.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

QString PolicyLayersModel::instead(int row, const QString& precision) const {
  return instead_.value(shapeText(layers_.at(static_cast<std::size_t>(row)).shape)).value(baseId(precision));
}

QString PolicyLayersModel::label(const QString& precision) const {
  const QString label = labels_.value(baseId(precision), baseId(precision));
  const QString options = precision.section(u'?', 1);
  return options.isEmpty() ? label : label + QStringLiteral(", ") + options.split(u'&').join(QStringLiteral(", "));
}

int PolicyLayersModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(layers_.size()); }
int PolicyLayersModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant PolicyLayersModel::text(const PolicyLayer& layer, int column) const {
  const double share = parameters_ > 0 ? 100.0 * static_cast<double>(layer.parameters()) / static_cast<double>(parameters_) : 0;
  switch (column) {
    case Part: return layer.part;
    case Name: return layer.name;
    case Shape: return shapeText(layer.shape);
    case Share: return share < 0.05 ? QStringLiteral("<\u20090.1\u2009%") : QStringLiteral("%1\u2009%").arg(share, 0, 'f', 1);
    case Precision: return label(layer.quantizable ? layer.asked : layer.held);
    case Before: return fileSizeText(layer.before);
    case After: return layer.after < 0 ? QStringLiteral("…") : fileSizeText(layer.after);
    case Error: return errors_.contains(layer.name) ? errorText(errors_[layer.name]) : QString();
    default: return {};
  }
}

QString PolicyLayersModel::tip(const PolicyLayer& layer) const {
  if (!layer.quantizable) return tr("Not a weight that a precision packs: it stays as it is");
  const QString bytes = layer.after < 0 ? QString() : tr("; %L1 bytes instead of %L2").arg(layer.after).arg(layer.before);
  if (!layer.held.isEmpty() && layer.held != layer.asked)
    return tr("%1 cannot hold this shape, so it is %2").arg(layer.asked, layer.held) + bytes;
  return layer.name + QStringLiteral(": ") + layer.asked + bytes;
}

QVariant PolicyLayersModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const PolicyLayer& layer = layers_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole: return text(layer, index.column());
    case Qt::ToolTipRole: return tip(layer);
    case Qt::TextAlignmentRole: return alignment(index.column());
    case PrecisionRole: return layer.quantizable ? layer.asked : layer.held;
    case QuantizableRole: return layer.quantizable;
    case ChangedRole: return layer.quantizable && layer.asked != frame_.value(index.row());
    case PartRole: return layer.part;
    case NameRole: return layer.name;
    case KeyRole: return layerKey(layer.name, layer.isConvolution());
    default: return {};
  }
}

QVariant PolicyLayersModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation == Qt::Vertical) return {};
  if (role == Qt::TextAlignmentRole) return alignment(section);
  if ((role != Qt::DisplayRole && role != Qt::ToolTipRole) || section >= ColumnCount) return {};
  const QString names[] = {tr("Part"), tr("Layer"), tr("Shape"), tr("Share"), tr("Precision"), tr("Before"), tr("After"), tr("Error")};
  const QString tips[] = {{}, {}, {}, tr("Share of the model's parameters"), {}, tr("Bytes in BF16"), tr("Bytes under this policy"),
                          tr("How far the final picture's latents move when only this layer (or its block) is at the low precision")};
  return role == Qt::DisplayRole ? names[section] : tips[section];
}

Qt::ItemFlags PolicyLayersModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) return Qt::NoItemFlags;
  const bool quantizable = layers_[static_cast<std::size_t>(index.row())].quantizable;
  Qt::ItemFlags flags = Qt::ItemNeverHasChildren | (quantizable ? Qt::ItemIsEnabled | Qt::ItemIsSelectable : Qt::ItemFlags());
  if (quantizable && index.column() == Precision) flags |= Qt::ItemIsEditable;
  return flags;
}

}  // namespace quantspot::ui
