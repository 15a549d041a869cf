// The layers of a model as a policy sees them: one row each, with the precision that it is asked to have and what that costs.
#pragma once

#include "engine/protocol/messages.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QStringList>

#include <cstdint>
#include <vector>

namespace quantspot::ui {

struct PolicyLayer {
  QString part, name;                 // "transformer", "transformer_blocks.0.attn.to_q"
  std::vector<std::int64_t> shape;
  qint64 before = 0, after = -1;      // bytes in bf16 and under the policy; -1 while the engine was not asked
  QString asked, held;                // precision of the table, and of the engine (another where a format cannot hold the layer)
  bool quantizable = false;           // a policy can reach it

  qint64 parameters() const;          // of the weight; biases are not counted
  bool isConvolution() const { return shape.size() == 4; }
};

class PolicyLayersModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Part, Name, Shape, Share, Precision, Before, After, Error, ColumnCount };
  enum Role { PrecisionRole = Qt::UserRole, QuantizableRole, ChangedRole, PartRole, NameRole, KeyRole };   // KeyRole: layerKey() of it

  using QAbstractTableModel::QAbstractTableModel;

  void setLayers(std::vector<PolicyLayer> layers);                         // another model: resets
  const std::vector<PolicyLayer>& layers() const { return layers_; }
  // In the order of the quantizable rows: what each is asked to be, and what the base alone makes of it. What changed is not known to be
  // held until the engine has answered.
  void setAsked(const QStringList& asked, const QStringList& frame);
  void setHeld(const std::vector<protocol::LayerEntry>& held);             // the engine's answer, by name
  // What a scan says of each layer alone at the low precision: how far the final latents move, as a share; empty: nothing was measured.
  void setErrors(QHash<QString, double> errors);
  bool hasErrors() const { return !errors_.isEmpty(); }
  // What the engine says of shapes: precisions that cannot hold them, and what a layer gets in their place.
  void setFit(QHash<QString, QHash<QString, QString>> instead) { instead_ = std::move(instead); }   // by shapeText()
  QString instead(int row, const QString& precision) const;                // empty: it can be held
  void setLabels(QHash<QString, QString> labels) { labels_ = std::move(labels); }
  QString label(const QString& precision) const;                           // "NF4"; with its options: "INT4 (torchao), group=64"

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 private:
  QVariant text(const PolicyLayer& layer, int column) const;
  QString tip(const PolicyLayer& layer) const;

  std::vector<PolicyLayer> layers_;
  QStringList frame_;                 // of all rows
  QHash<QString, QString> labels_;
  QHash<QString, double> errors_;
  QHash<QString, QHash<QString, QString>> instead_;
  qint64 parameters_ = 0;
};

QString errorText(double error);                               // "3.1 %", "0.02 %"
QString shapeText(const std::vector<std::int64_t>& shape);   // "1024 × 256"

}  // namespace quantspot::ui
