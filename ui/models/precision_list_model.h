// The engine's precisions with a tick each, in the engine's order, and the policies that the user added.
#pragma once

#include "ui/client/engine_client.h"

#include <QAbstractListModel>

namespace quantspot::ui {

class PrecisionListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role {
    IdRole = Qt::UserRole,            // "bnb-nf4", or policy text; Qt::DisplayRole is the label
    FamilyRole,                       // for the colour
    BitsRole,                         // double, per weight
    BytesRole,                        // qint64 of the chosen model at this precision, null while unknown
    BytesTextRole,                    // "6.9 MB", "" while unknown
    IsPolicyRole,                     // bool: added by the user, can be removed
    IsNamedRole,                      // bool: a policy of the library
  };

  using QAbstractListModel::QAbstractListModel;

  static QStringList defaultChecked();            // bf16, fp8-layerwise, bnb-int8, bnb-nf4

  void setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions);   // keeps the ticks of known ids
  void setBytes(const QString& id, qint64 bytes);
  void clearBytes();                              // another model was chosen
  bool addPolicy(const QString& text);            // false when empty or already there; the engine checks the rest
  // The user's named policies, after what was added without a name. Ticks and bytes of those that stay are kept.
  void setNamed(const std::vector<std::pair<QString, QString>>& named);   // name, text
  void removePolicy(int row);
  QStringList ids() const;
  QStringList checkedIds() const;
  void setChecked(const QString& id, bool checked);
  QString label(const QString& id) const;         // of a named policy its name; the id itself when unknown
  QString family(const QString& id) const;        // of a policy: that of its base precision

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;   // Qt::CheckStateRole
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QHash<int, QByteArray> roleNames() const override;

 Q_SIGNALS:
  void checkedChanged();

 private:
  struct Row {
    protocol::PrecisionInfo info;
    qint64 bytes = -1;
    bool checked = false, policy = false, named = false;
  };
  const Row* find(const QString& id) const;
  Row policyRow(const QString& text, const QString& label) const;

  std::vector<Row> rows_;
};

// "6.9 MB": decimal units, as for files.
QString fileSizeText(qint64 bytes);
// "0.4 GiB": as for memory.
QString memoryText(qint64 bytes);

}  // namespace quantspot::ui
