// The tiles of one trial, A first. Everything that tells variants apart is null until reveal().
#pragma once

#include "ui/models/comparison.h"

#include <QAbstractListModel>

namespace quantspot::ui {

class SlotListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role {
    ImageRole = Qt::UserRole,         // QImage
    LetterRole,                       // "A"; also Qt::DisplayRole
    ChoiceRole,                       // QString: the precision given to the tile; bool in "spot": it is the picked one; "1" to "5" in "rate"
    NameRole,                         // QString, the true precision: null until reveal, like all below
    CorrectRole,                      // bool: the tile was named right (NameEach), or is the quantized one (SpotOne); Rate: false
    ReportRole,                       // QJsonObject
    PsnrRole, SsimRole, ClipRole,     // double, or null when not measured
    ClipLabelRole,                    // QString
  };

  using QAbstractListModel::QAbstractListModel;

  void setSlots(std::vector<SampleResult> samples);         // hides the names again
  void setChoices(QVariantList choices);                    // one per slot
  void setScores(qint64 sample, const study::Scores& scores);
  void reveal(std::vector<bool> correct);                   // once the answer is stored
  bool isRevealed() const { return revealed_; }

  static QString letter(int slot);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

 private:
  QVariant revealedData(const SampleResult& slot, int row, int role) const;

  std::vector<SampleResult> slots_;
  QVariantList choices_;
  std::vector<bool> correct_;
  bool revealed_ = false;
};

}  // namespace quantspot::ui
