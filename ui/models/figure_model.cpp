#include "ui/models/figure_model.h"

#include "evaluation/figures.h"
#include "ui/models/precision_names.h"

#include <algorithm>

namespace quantspot::ui {
namespace {

using evaluation::FigureInfo;
using evaluation::Source;
using nlohmann::json;

QString sourceText(const FigureInfo& info) {
  const QString better = info.better == evaluation::Better::Higher ? FigureModel::tr("higher is better") : FigureModel::tr("lower is better");
  switch (info.source) {
    case Source::Prompt: return FigureModel::tr("Each picture against its prompt; %1").arg(better);
    case Source::Pair: return FigureModel::tr("Each picture against the baseline's; %1").arg(better);
    case Source::Set: return FigureModel::tr("All pictures of a precision as one set; %1").arg(better);
    case Source::Report: break;
  }
  return better;
}

QString number(const FigureInfo& info, const json& value) {
  return QString::fromStdString(evaluation::figureText(info, value.is_number() ? std::optional(value.get<double>()) : std::nullopt));
}

bool isShown(const json& report, const FigureInfo& info) {
  if (info.id == "step" || info.id == "total") return false;
  for (const json& row : report["summary"])
    if (row["figures"].contains(std::string(info.id))) return true;
  return false;
}

}  // namespace

void FigureModel::setReport(const json& report) {
  beginResetModel();
  precisions_.clear(), figures_.clear(), labels_.clear(), tips_.clear(), cells_.clear();
  if (report.is_object()) {
    for (const FigureInfo& info : evaluation::figures())
      if (isShown(report, info)) {
        figures_.emplace_back(info.id);
        labels_.push_back(QString::fromStdString(evaluation::labelOf(report, info)));
        tips_.push_back(sourceText(info));
      }
    for (const json& row : report["summary"]) {
      precisions_.push_back(row["precision"]);
      std::vector<Cell>& cells = cells_.emplace_back();
      for (const std::string& id : figures_) {
        const FigureInfo& info = *evaluation::figureInfo(id);
        const auto found = row["figures"].find(id);
        Cell& cell = cells.emplace_back(Cell{QStringLiteral("–"), {}, {}});
        if (found == row["figures"].end()) continue;
        const QString n = tr("N = %1").arg(found->value("n", 0));
        const json& range = (*found)["ci95"];
        const QString interval = range.is_array() ? tr("%1 to %2").arg(number(info, range[0]), number(info, range[1])) : QString();
        cell.text = number(info, (*found)["value"]) + u'\n' + (interval.isEmpty() ? n : interval + QStringLiteral(" · ") + n);
        cell.tip = interval.isEmpty() ? tr("%1; too few for an interval").arg(n) : tr("95 % interval %1, %2").arg(interval, n);
        cell.caution = QString::fromStdString(found->value("caution", ""));
      }
    }
  }
  endResetModel();
}

int FigureModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(precisions_.size()); }
int FigureModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(figures_.size()); }

QVariant FigureModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount() || index.column() >= columnCount()) return {};
  const Cell& cell = cells_[static_cast<std::size_t>(index.row())][static_cast<std::size_t>(index.column())];
  switch (role) {
    case Qt::DisplayRole: return cell.text;
    case Qt::ToolTipRole: return cell.caution.isEmpty() ? cell.tip : cell.tip + u'\n' + cell.caution;
    case Qt::TextAlignmentRole: return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    case CautionRole: return cell.caution.isEmpty() ? QVariant() : cell.caution;
    case PrecisionRole: return QString::fromStdString(precisions_[static_cast<std::size_t>(index.row())]);
    default: return {};
  }
}

QVariant FigureModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (section < 0 || section >= (orientation == Qt::Horizontal ? columnCount() : rowCount())) return {};
  const auto at = static_cast<std::size_t>(section);
  if (orientation == Qt::Vertical) {
    const QString precision = QString::fromStdString(precisions_[at]);
    if (role == Qt::DisplayRole) return section == 0 ? tr("%1 (baseline)").arg(shortName(precision)) : shortName(precision);
    return role == Qt::ToolTipRole ? precision : QVariant();
  }
  return role == Qt::DisplayRole ? labels_[at] : role == Qt::ToolTipRole ? tips_[at] : QVariant();
}

int FigureModel::columnOf(const char* figure) const {
  const auto found = std::ranges::find(figures_, figure);
  return found == figures_.end() ? -1 : static_cast<int>(found - figures_.begin());
}

}  // namespace quantspot::ui
