#include "ui/models/history_model.h"

#include <QLocale>

namespace quantspot::ui {
namespace {

constexpr int kThumbnailPixels = 96;

}  // namespace

HistoryModel::HistoryModel(study::StudyStore* store, QObject* parent) : QAbstractTableModel(parent), store_(store) {
  connect(store, &study::StudyStore::changed, this, &HistoryModel::reload);
  reload();
}

void HistoryModel::setSearch(const QString& words) {
  search_ = words;
  reload();
}

void HistoryModel::hide(qint64 comparison) {
  if (hidden_ == comparison) return;
  hidden_ = comparison;
  reload();
}

void HistoryModel::reload() {
  beginResetModel();
  heads_ = store_->comparisons(search_);
  std::erase_if(heads_, [&](const study::ComparisonHead& head) { return head.id == hidden_; });
  endResetModel();
}

qint64 HistoryModel::comparisonAt(int row) const { return row < 0 || row >= rowCount() ? 0 : heads_[row].id; }

int HistoryModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(heads_.size()); }

int HistoryModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant HistoryModel::text(const study::ComparisonHead& head, int column) const {
  switch (column) {
    case When: return QLocale().toString(head.created.toLocalTime(), QLocale::ShortFormat);
    case Prompt: return head.prompt;
    case Seed: return QVariant::fromValue(head.seed);
    case Model: return head.model;
    case Precisions: return head.precisions.join(QStringLiteral(", "));
    case Score: return head.tiles == 0 ? QString() : QStringLiteral("%1/%2").arg(head.hits).arg(head.tiles);
    default: return {};
  }
}

QImage HistoryModel::thumbnail(qint64 comparison) const {
  auto known = thumbnails_.constFind(comparison);
  if (known == thumbnails_.constEnd()) {
    QImage image = QImage::fromData(store_->thumbnail(comparison), "PNG");
    if (!image.isNull()) image = image.scaled(kThumbnailPixels, kThumbnailPixels, Qt::KeepAspectRatio, Qt::SmoothTransformation);
    known = thumbnails_.insert(comparison, image);
  }
  return *known;
}

QVariant HistoryModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const study::ComparisonHead& head = heads_[index.row()];
  switch (role) {
    case Qt::DisplayRole: return text(head, index.column());
    case ComparisonRole: return head.id;
    case ThumbnailRole: return thumbnail(head.id);
    case PromptRole: return head.prompt;
    case FailedRole: return head.failed;
    default: return {};
  }
}

QVariant HistoryModel::headerData(int section, Qt::Orientation orientation, int role) const {
  const QStringList names = {tr("When"), tr("Prompt"), tr("Seed"), tr("Model"), tr("Precisions"), tr("Right")};
  return orientation == Qt::Horizontal && role == Qt::DisplayRole ? QVariant(names.value(section)) : QVariant();
}

}  // namespace quantspot::ui
