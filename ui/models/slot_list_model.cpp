#include "ui/models/slot_list_model.h"

namespace quantspot::ui {
namespace {

QVariant figure(const std::optional<double>& value) { return value ? QVariant(*value) : QVariant(); }

}  // namespace

void SlotListModel::setSlots(std::vector<SampleResult> samples) {
  beginResetModel();
  slots_ = std::move(samples);
  choices_.clear();
  correct_.clear();
  revealed_ = false;
  endResetModel();
}

void SlotListModel::setChoices(QVariantList choices) {
  choices_ = std::move(choices);
  if (!slots_.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1), {ChoiceRole});
}

void SlotListModel::setScores(qint64 sample, const study::Scores& scores) {
  for (std::size_t row = 0; row < slots_.size(); ++row) {
    if (slots_[row].sample.id != sample) continue;
    slots_[row].sample.scores = scores;
    // Before the reveal even the fact that a figure came for this row says too much.
    const QModelIndex changed = index(static_cast<int>(row));
    if (revealed_) Q_EMIT dataChanged(changed, changed, {PsnrRole, SsimRole, ClipRole, ClipLabelRole});
  }
}

void SlotListModel::reveal(std::vector<bool> correct) {
  correct_ = std::move(correct);
  revealed_ = true;
  if (!slots_.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
}

QString SlotListModel::letter(int slot) { return QString(QChar(u'A' + slot)); }

int SlotListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(slots_.size()); }

QVariant SlotListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const SampleResult& slot = slots_[index.row()];
  switch (role) {
    case Qt::DisplayRole:
    case LetterRole: return letter(index.row());
    case ImageRole: return slot.image;
    case ChoiceRole: return choices_.value(index.row());
    default: return revealed_ ? revealedData(slot, index.row(), role) : QVariant();
  }
}

QVariant SlotListModel::revealedData(const SampleResult& slot, int row, int role) const {
  switch (role) {
    case NameRole: return slot.sample.precision;
    case CorrectRole: return static_cast<std::size_t>(row) < correct_.size() && correct_[row];
    case ReportRole: return slot.sample.report;
    case PsnrRole: return figure(slot.sample.scores.psnr);
    case SsimRole: return figure(slot.sample.scores.ssim);
    case ClipRole: return figure(slot.sample.scores.clip);
    case ClipLabelRole: return slot.sample.scores.clip_label;
    default: return {};
  }
}

QHash<int, QByteArray> SlotListModel::roleNames() const {
  return {{Qt::DisplayRole, "display"}, {ImageRole, "image"}, {LetterRole, "letter"}, {ChoiceRole, "choice"}, {NameRole, "name"},
          {CorrectRole, "correct"}, {ReportRole, "report"}, {PsnrRole, "psnr"}, {SsimRole, "ssim"}, {ClipRole, "clip"},
          {ClipLabelRole, "clipLabel"}};
}

}  // namespace quantspot::ui
