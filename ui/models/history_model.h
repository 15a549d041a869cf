// Past comparisons, newest first, from the store; follows its changes.
#pragma once

#include "study/study_store.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QImage>

namespace quantspot::ui {

class HistoryModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { When, Prompt, Seed, Model, Precisions, Score, ColumnCount };
  enum Role {
    ComparisonRole = Qt::UserRole, ThumbnailRole, PromptRole, FailedRole,   // id; QImage; QString; QStringList
    AnswerRole, TagsRole,                         // QString; QStringList
    BlindRole, DrawnHereRole, PictureCountRole    // bool: still to be judged; bool: can be drawn again; int: of precisions
  };

  explicit HistoryModel(study::StudyStore* store, QObject* parent = nullptr);   // store is not owned

  void setSearch(const QString& words);
  void hide(qint64 comparison);                   // one that is still blind: its row would give it away; 0 for none
  void reload();
  qint64 comparisonAt(int row) const;             // 0 when there is no such row
  int rowOf(qint64 comparison) const;             // -1 when it is not shown
  void setTags(int row, const QStringList& tags);
  QStringList tags() const { return store_->tags(); }   // in use

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  study::StudyStore* store_;
  QVariant text(const study::ComparisonHead& head, int column) const;
  QString answerText(const study::ComparisonHead& head) const;
  QImage thumbnail(qint64 comparison) const;
  static bool isBlind(const study::ComparisonHead& head);
  QImage blindThumbnail(qint64 comparison) const;

  QString search_;
  qint64 hidden_ = 0;
  mutable QHash<qint64, QImage> thumbnails_;      // loaded when first asked for
  std::vector<study::ComparisonHead> heads_;
};

}  // namespace quantspot::ui
