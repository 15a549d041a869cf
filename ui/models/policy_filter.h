// The rows of a policy's table that are looked at.
#pragma once

#include <QSortFilterProxyModel>

namespace quantspot::ui {

class PolicyFilter : public QSortFilterProxyModel {
  Q_OBJECT
 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;

  // Layers that this pattern of a policy matches, upper and lower case alike; empty: all.
  void setPattern(const QString& pattern);
  void setEncoders(bool shown);           // of the layers that a policy can reach, also those of text encoders
  void setDecoder(bool shown);            // … and those of the autoencoder's decoder
  void setEverything(bool shown);         // also what no policy reaches

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  QString pattern_;
  bool encoders_ = false, decoder_ = false, everything_ = false;
};

}  // namespace quantspot::ui
