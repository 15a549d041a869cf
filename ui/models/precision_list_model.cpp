#include "ui/models/precision_list_model.h"

#include "ui/models/auto_choice.h"
#include "ui/models/policy_text.h"

#include <algorithm>

namespace quantspot::ui {
namespace {

QString scaled(double value, const QString& unit) { return QStringLiteral("%1\u2009%2").arg(value, 0, 'f', value < 9.95 ? 1 : 0).arg(unit); }

// Whose arithmetic a precision is equal to.
QString referenceOf(const std::string& id) {
  static const std::pair<const char*, const char*> kReferences[] = {
      {"fp8-layerwise", "stored as FP8, computed in bf16: diffusers' layerwise casting"}, {"bnb-int8", "LLM.int8() of bitsandbytes"},
      {"bnb-", "blocks of 64 weights, as bitsandbytes packs them"}, {"torchao-", "as torchao packs them"},
      {"quanto-", "as optimum-quanto packs them"},
      {"gguf-", "as llama.cpp and ComfyUI-GGUF pack them"}, {"int8-dynamic", "PyTorch's dynamic quantization, with 8-bit activations"}};
  for (const auto& [prefix, text] : kReferences)
    if (id.starts_with(prefix)) return PrecisionListModel::tr(text);
  return id == "bf16" ? PrecisionListModel::tr("what the others are compared with") : QString();
}

// "NF4, double quantized: 4 bits a weight; blocks of 64 weights, as bitsandbytes packs them"
QString tipOf(const protocol::PrecisionInfo& info, bool policy) {
  const QString id = QString::fromStdString(info.id), label = info.label.empty() ? id : QString::fromStdString(info.label);
  if (policy) return label == id ? id : label + u'\n' + id;
  QStringList parts;
  if (info.bits > 0) parts << PrecisionListModel::tr("%1 bits a weight").arg(info.bits);
  if (const QString reference = referenceOf(info.id); !reference.isEmpty()) parts << reference;
  const QString text = parts.isEmpty() ? label : QStringLiteral("%1: %2").arg(label, parts.join(QStringLiteral("; ")));
  return label == id ? text : text + u'\n' + id;
}

}  // namespace

QString fileSizeText(qint64 bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return scaled(value / 1e9, QStringLiteral("GB"));
  return bytes >= 1'000'000 ? scaled(value / 1e6, QStringLiteral("MB")) : scaled(value / 1e3, QStringLiteral("kB"));
}

QString memoryText(qint64 bytes) {
  const double gib = static_cast<double>(bytes) / (1 << 30);
  return gib < 0.095 ? QStringLiteral("%1\u2009MiB").arg(gib * 1024, 0, 'f', 0) : scaled(gib, QStringLiteral("GiB"));
}

QStringList PrecisionListModel::defaultChecked() {
  return {QStringLiteral("bf16"), QStringLiteral("fp8-layerwise"), QStringLiteral("bnb-int8"), QStringLiteral("bnb-nf4")};
}

void PrecisionListModel::setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions) {
  const std::vector<Row> before = std::exchange(rows_, {});
  beginResetModel();
  for (const protocol::PrecisionInfo& info : precisions) {
    const auto same = [&](const Row& row) { return row.info.id == info.id; };
    const auto known = std::find_if(before.begin(), before.end(), same);
    const bool checked = known == before.end() ? defaultChecked().contains(QString::fromStdString(info.id)) : known->checked;
    rows_.push_back({info, known == before.end() ? -1 : known->bytes, checked, false});
  }
  std::copy_if(before.begin(), before.end(), std::back_inserter(rows_), [](const Row& row) { return row.policy; });
  endResetModel();
  Q_EMIT checkedChanged();
}

void PrecisionListModel::setBytes(const QString& id, qint64 bytes) {
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    if (rows_[row].info.id != id.toStdString()) continue;
    rows_[row].bytes = bytes;
    const QModelIndex changed = index(static_cast<int>(row));
    Q_EMIT dataChanged(changed, changed, {BytesRole, BytesTextRole});
  }
}

void PrecisionListModel::clearBytes() {
  for (Row& row : rows_) row.bytes = -1;
  if (!rows_.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1), {BytesRole, BytesTextRole});
}

bool PrecisionListModel::addPolicy(const QString& text) {
  const QString id = text.trimmed();
  if (id.isEmpty() || find(id)) return false;
  beginInsertRows({}, rowCount(), rowCount());
  const auto choice = parseAuto(id);
  rows_.push_back(policyRow(id, choice ? choice->label() : id));
  rows_.back().checked = true;
  endInsertRows();
  Q_EMIT checkedChanged();
  return true;
}

PrecisionListModel::Row PrecisionListModel::policyRow(const QString& text, const QString& label) const {
  const Row* base = find(baseId(text));
  const protocol::PrecisionInfo info{.id = text.toStdString(), .label = label.toStdString(), .family = base ? base->info.family : std::string(),
                                     .bits = base ? base->info.bits : 0};
  return {info, -1, false, true};
}

void PrecisionListModel::setNamed(const std::vector<std::pair<QString, QString>>& named) {
  const std::vector<Row> before = rows_;
  const auto hasText = [](const std::string& text) { return [&text](const Row& row) { return row.info.id == text; }; };
  beginResetModel();
  std::erase_if(rows_, [](const Row& row) { return row.named; });
  for (const auto& [name, text] : named) {
    Row row = policyRow(text, name);
    const auto old = std::find_if(before.begin(), before.end(), hasText(row.info.id));
    if (old != before.end()) row.checked = old->checked, row.bytes = old->bytes;
    row.named = true;
    const auto same = std::find_if(rows_.begin(), rows_.end(), hasText(row.info.id));
    if (same == rows_.end()) rows_.push_back(row);
    else if (same->policy) *same = row;   // it has a name now; a plain precision keeps its own
  }
  endResetModel();
  Q_EMIT checkedChanged();
}

void PrecisionListModel::removePolicy(int row) {
  if (row < 0 || row >= rowCount() || !rows_[row].policy) return;
  beginRemoveRows({}, row, row);
  rows_.erase(rows_.begin() + row);
  endRemoveRows();
  Q_EMIT checkedChanged();
}

QStringList PrecisionListModel::ids() const {
  QStringList all;
  for (const Row& row : rows_) all << QString::fromStdString(row.info.id);
  return all;
}

QStringList PrecisionListModel::checkedIds() const {
  QStringList checked;
  for (const Row& row : rows_)
    if (row.checked) checked << QString::fromStdString(row.info.id);
  return checked;
}

void PrecisionListModel::setChecked(const QString& id, bool checked) {
  const auto row = ids().indexOf(id);
  if (row >= 0) setData(index(static_cast<int>(row)), checked ? Qt::Checked : Qt::Unchecked, Qt::CheckStateRole);
}

const PrecisionListModel::Row* PrecisionListModel::find(const QString& id) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.info.id == id.toStdString(); });
  return found == rows_.end() ? nullptr : &*found;
}

QString PrecisionListModel::label(const QString& id) const {
  const Row* row = find(id);
  return row && !row->info.label.empty() ? QString::fromStdString(row->info.label) : id;
}

QString PrecisionListModel::family(const QString& id) const {
  const Row* row = find(id);
  if (!row) row = find(baseId(id));
  return row ? QString::fromStdString(row->info.family) : QString();
}

int PrecisionListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }

QVariant PrecisionListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = rows_[index.row()];
  const QString id = QString::fromStdString(row.info.id);
  switch (role) {
    case Qt::DisplayRole: return label(id);
    case Qt::ToolTipRole: return tipOf(row.info, row.policy);
    case IdRole: return id;
    case Qt::CheckStateRole: return row.checked ? Qt::Checked : Qt::Unchecked;
    case FamilyRole: return QString::fromStdString(row.info.family);
    case BitsRole: return row.info.bits;
    case BytesRole: return row.bytes < 0 ? QVariant() : QVariant(row.bytes);
    case BytesTextRole: return row.bytes < 0 ? QString() : fileSizeText(row.bytes);
    case IsPolicyRole: return row.policy;
    case IsNamedRole: return row.named;
    default: return {};
  }
}

bool PrecisionListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (role != Qt::CheckStateRole || !checkIndex(index, CheckIndexOption::IndexIsValid)) return false;
  rows_[index.row()].checked = value.toInt() == Qt::Checked;
  Q_EMIT dataChanged(index, index, {Qt::CheckStateRole});
  Q_EMIT checkedChanged();
  return true;
}

Qt::ItemFlags PrecisionListModel::flags(const QModelIndex& index) const {
  return index.isValid() ? Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable | Qt::ItemNeverHasChildren : Qt::NoItemFlags;
}

QHash<int, QByteArray> PrecisionListModel::roleNames() const {
  return {{Qt::DisplayRole, "display"}, {Qt::CheckStateRole, "checked"}, {IdRole, "id"}, {FamilyRole, "family"}, {BitsRole, "bits"},
          {BytesRole, "bytes"}, {BytesTextRole, "bytesText"}, {IsPolicyRole, "isPolicy"}, {IsNamedRole, "isNamed"}};
}

}  // namespace quantspot::ui
