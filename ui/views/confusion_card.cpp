#include "ui/views/confusion_card.h"

#include "ui/models/precision_names.h"
#include "ui/views/confusion_colours.h"
#include "ui/views/theme.h"

#include <QComboBox>
#include <QPainter>

namespace quantspot::views {
namespace {
constexpr double kHead = 20, kNames = 84, kRow = 34;
}

void ConfusionTable::setTable(const QStringList& answers, const QJsonArray& counts) {
  answers_ = answers, counts_ = counts;
  updateGeometry();
  update();
}

QSize ConfusionTable::sizeHint() const { return {260, static_cast<int>(kHead + kRow * static_cast<double>(std::max<qsizetype>(2, answers_.size())) + 8)}; }

void ConfusionTable::paintEvent(QPaintEvent*) {
  if (answers_.isEmpty()) return;
  const Theme& t = theme();
  QPainter painter(this);
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.88);
  painter.setFont(small);
  const double n = static_cast<double>(answers_.size()), w = (width() - kNames) / n, h = std::min(kRow, (height() - kHead) / n);
  painter.setPen(t.quiet);
  painter.drawText(QRectF(0, 0, kNames, kHead), Qt::AlignLeft | Qt::AlignVCenter, tr("true \\ said"));
  for (qsizetype i = 0; i < answers_.size(); ++i) {
    painter.setPen(t.text);
    painter.drawText(QRectF(kNames + w * static_cast<double>(i), 0, w, kHead), Qt::AlignCenter, answers_[i]);
    painter.drawText(QRectF(0, kHead + h * static_cast<double>(i), kNames - 6, h), Qt::AlignLeft | Qt::AlignVCenter, answers_[i]);
    double sum = 0;
    for (const QJsonValue& count : counts_.at(i).toArray()) sum += count.toInt();
    for (qsizetype j = 0; j < answers_.size(); ++j) {
      const int count = counts_.at(i)[j].toInt();
      const QRectF cell(kNames + w * static_cast<double>(j) + 1, kHead + h * static_cast<double>(i) + 1, w - 2, h - 2);
      const CellColours colours = confusionColours(i == j, count > 0 ? count / sum : 0);
      painter.fillRect(cell, colours.ground);
      painter.setPen(colours.text);
      painter.drawText(cell, Qt::AlignCenter, QString::number(count));
    }
  }
}

ConfusionCard::ConfusionCard(const QString& title, QWidget* parent) : Card(title, parent), choice_(new QComboBox), table_(new ConfusionTable) {
  choice_->setFixedHeight(28), choice_->setAccessibleName(tr("Kind of trial and variant"));
  choice_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon), choice_->setMinimumContentsLength(18);
  addToTitle(choice_);
  setContent(table_);
  connect(choice_, &QComboBox::currentIndexChanged, this, &ConfusionCard::showTable);
}

void ConfusionCard::setTables(const QJsonArray& tables) {
  const QString before = choice_->currentText();
  tables_ = {};
  choice_->clear();
  tables_ = tables;
  for (const QJsonValue& table : tables) {
    const QString variant = table["variant"].toString();
    choice_->addItem(QStringLiteral("%1, %2").arg(table["kind"].toString(), variant == QLatin1String("all") ? tr("all variants") : ui::shortName(variant)));
  }
  const int same = choice_->findText(before);
  choice_->setCurrentIndex(std::max(0, same));
  showTable(choice_->currentIndex());
}

void ConfusionCard::showTable(int index) {
  if (index < 0 || index >= tables_.size()) return table_->setTable({}, {});
  QStringList answers;
  for (const QJsonValue& answer : tables_.at(index)["answers"].toArray()) answers << answer.toString();
  table_->setTable(answers, tables_.at(index)["counts"].toArray());
  setNote(tr("Answers of main trials; green: right"));
}

}  // namespace quantspot::views
