#include "ui/models/history_model.h"

#include "ui/models/picture_import.h"

#include <QLocale>
#include <QPainter>

#include <algorithm>

namespace quantspot::ui {
namespace {

constexpr int kThumbnailPixels = 160, kSheetPictures = 4, kSheetGap = 4;

// Two in a row, all at one scale.
QImage contactSheet(const std::vector<QByteArray>& pictures) {
  std::vector<QImage> images;
  for (const QByteArray& png : pictures)
    if (const QImage image = QImage::fromData(png, "PNG"); !image.isNull())
      images.push_back(image.scaled(kThumbnailPixels, kThumbnailPixels, Qt::KeepAspectRatio, Qt::SmoothTransformation));
  if (images.empty()) return {};
  const int count = static_cast<int>(images.size()), columns = count > 1 ? 2 : 1, rows = (count + columns - 1) / columns;
  const QSize cell = images.front().size() + QSize(kSheetGap, kSheetGap);
  QImage sheet(cell.width() * columns - kSheetGap, cell.height() * rows - kSheetGap, QImage::Format_RGB32);
  sheet.fill(QColor(119, 119, 119));
  QPainter painter(&sheet);
  for (int i = 0; i < count; ++i) painter.drawImage(i % columns * cell.width(), i / columns * cell.height(), images[i]);
  return sheet;
}

// With the grades of the last rating, where there was one.
QString precisionsText(const study::ComparisonHead& head) {
  QStringList parts;
  for (const QString& precision : head.precisions) {
    const auto rated = std::ranges::find(head.ratings, precision, &std::pair<QString, int>::first);
    parts << (rated == head.ratings.end() ? precision : QStringLiteral("%1 %2").arg(precision).arg(rated->second));
  }
  return parts.join(QStringLiteral(", "));
}

}  // namespace

HistoryModel::HistoryModel(study::StudyStore* store, QObject* parent) : QAbstractTableModel(parent), store_(store) {
  connect(store, &study::StudyStore::picturesChanged, this, [this] { thumbnails_.clear(); });
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

int HistoryModel::rowOf(qint64 comparison) const {
  const auto found = std::ranges::find(heads_, comparison, &study::ComparisonHead::id);
  return found == heads_.end() ? -1 : static_cast<int>(found - heads_.begin());
}

void HistoryModel::setTags(int row, const QStringList& tags) {
  if (const qint64 id = comparisonAt(row); id > 0) store_->setTags(id, tags);
}

int HistoryModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(heads_.size()); }

int HistoryModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant HistoryModel::text(const study::ComparisonHead& head, int column) const {
  switch (column) {
    case When: return QLocale().toString(head.created.toLocalTime(), QLocale::ShortFormat);
    case Prompt: return head.prompt;
    case Seed: return QVariant::fromValue(head.seed);
    case Model: return head.model;
    case Precisions: return isBlind(head) ? tr("to be judged") : precisionsText(head);
    case Score: return head.tiles == 0 ? QString() : QStringLiteral("%1/%2").arg(head.hits).arg(head.tiles);
    default: return {};
  }
}

// What became of it: "3/4 right", "rated", both, or "not answered"; and how many answers are in no tally.
QString HistoryModel::answerText(const study::ComparisonHead& head) const {
  QStringList parts;
  if (head.tiles > 0) parts << tr("%1/%2 right").arg(head.hits).arg(head.tiles);
  if (!head.ratings.empty()) parts << tr("rated");
  if (head.uncounted > 0) parts << tr("%1 of %2 not counted: names known").arg(head.uncounted).arg(head.trials);
  return parts.isEmpty() ? tr("not answered") : parts.join(QStringLiteral(", "));
}

// Imported and not judged: its order of pictures is that of the list, which the user may know.
bool HistoryModel::isBlind(const study::ComparisonHead& head) { return head.model == QLatin1String(kImported) && head.trials == 0; }

QImage HistoryModel::blindThumbnail(qint64 comparison) const {
  QImage& known = thumbnails_[-comparison];       // another one than when it is judged
  if (!known.isNull()) return known;
  std::vector<QByteArray> pictures = store_->pictures(comparison, kSheetPictures);
  std::sort(pictures.begin(), pictures.end());
  if (pictures.size() > 1) pictures.resize(1);
  return known = contactSheet(pictures);
}

QImage HistoryModel::thumbnail(qint64 comparison) const {
  auto known = thumbnails_.constFind(comparison);
  if (known == thumbnails_.constEnd()) known = thumbnails_.insert(comparison, contactSheet(store_->pictures(comparison, kSheetPictures)));
  return *known;
}

QVariant HistoryModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const study::ComparisonHead& head = heads_[index.row()];
  switch (role) {
    case Qt::DisplayRole: return text(head, index.column());
    case ComparisonRole: return head.id;
    case ThumbnailRole: return isBlind(head) ? blindThumbnail(head.id) : thumbnail(head.id);
    case PromptRole: return head.prompt;
    case FailedRole: return head.failed;
    case AnswerRole: return answerText(head);
    case TagsRole: return head.tags;
    case BlindRole: return isBlind(head);
    case DrawnHereRole: return head.model != QLatin1String(kImported);
    case PictureCountRole: return static_cast<int>(head.precisions.size());
    default: return {};
  }
}

QVariant HistoryModel::headerData(int section, Qt::Orientation orientation, int role) const {
  const QStringList names = {tr("When"), tr("Prompt"), tr("Seed"), tr("Model"), tr("Precisions"), tr("Right")};
  return orientation == Qt::Horizontal && role == Qt::DisplayRole ? QVariant(names.value(section)) : QVariant();
}

}  // namespace quantspot::ui
