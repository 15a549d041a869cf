#include "ui/views/evaluate_figures.h"

#include "evaluation/sets_note.h"
#include "ui/views/beside.h"
#include "ui/views/theme.h"

#include <QHeaderView>
#include <QLabel>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

// What must not be trusted is greyed; its tool tip says why.
class FigureDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

  // Two lines in each cell, with air around them.
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    return QStyledItemDelegate::sizeHint(option, index) + QSize(12, 8);
  }

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    if (index.data(ui::FigureModel::CautionRole).isValid()) option->palette.setColor(QPalette::Text, theme().quiet), option->font.setItalic(true);
  }
};

QString cautions(const nlohmann::json& report) {
  for (const auto& row : report["summary"])
    for (const auto& [id, figure] : row["figures"].items())
      if (figure.contains("caution")) return QStringLiteral("Greyed: %1.").arg(QString::fromStdString(figure["caution"]));
  return {};
}

QString against(const nlohmann::json& report) {
  const nlohmann::json sets = report.value("sets", nlohmann::json());
  if (!sets.is_object()) return QStringLiteral("Sets are compared once six prompts and seeds are drawn at every precision.");
  return QStringLiteral("Sets: %1 pictures of each precision against %2. %3")
      .arg(sets.value("n", 0)).arg(QString::fromStdString(sets["against"]), QString::fromStdString(evaluation::pairsNote(report))).trimmed();
}

}  // namespace

EvaluateFigures::EvaluateFigures(QWidget* parent) : QWidget(parent), table_(new QTableView), notice_(new QLabel), note_(new QLabel) {
  table_->setModel(&model_), table_->setItemDelegate(new FigureDelegate(table_));
  table_->setAccessibleName(QStringLiteral("Figures by precision"));
  table_->setSelectionMode(QAbstractItemView::ContiguousSelection), table_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  makeCopyable(table_);
  for (QLabel* label : {notice_, note_}) label->setProperty("role", "quiet"), label->setWordWrap(true);
  connect(notice_, &QLabel::linkActivated, this, &EvaluateFigures::weightsPressed);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 8, 0, 0), layout->setSpacing(8);
  layout->addWidget(notice_), layout->addWidget(table_, 1), layout->addWidget(note_);
  setReport(nullptr), setLacking({});
}

void EvaluateFigures::setReport(const nlohmann::json& report) {
  model_.setReport(report);
  table_->resizeColumnsToContents(), table_->resizeRowsToContents();
  note_->setText(report.is_object() ? QStringLiteral("Value, 95 % interval, N. %1 %2").arg(against(report), cautions(report)).trimmed()
                                    : QStringLiteral("Figures appear with the first pictures"));
}

void EvaluateFigures::setLacking(const QString& text) {
  notice_->setText(text.isEmpty() ? QString() : text.toHtmlEscaped() + QStringLiteral(" <a href=\"weights\">Metric weights…</a>"));
  notice_->setVisible(!text.isEmpty());
}

}  // namespace quantspot::views
