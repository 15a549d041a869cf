#include "ui/views/threshold_table.h"

#include "ui/models/precision_names.h"
#include "ui/views/beside.h"
#include "ui/views/theme.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>

#include <cmath>

namespace quantspot::views {
namespace {

constexpr int kVerdict = Qt::UserRole;   // "pass", "fail", what it lacks

using evaluation::Threshold;

QString valueText(const Threshold& threshold, double value) {
  const int digits = threshold.measure == evaluation::Measure::Value ? 2 : 1;
  const double scale = std::pow(10.0, digits), rounded = std::round(value * scale) / scale + 0.0;   // no "−0.0"
  const QString number = QString::number(rounded, 'f', digits).replace(u'-', u'−');
  if (threshold.measure == evaluation::Measure::Value) return number;
  return (threshold.measure == evaluation::Measure::Change && value > 0.05 ? QStringLiteral("+") : QString()) + number + QStringLiteral("\u2009%");
}

// "✓ −1.2 %", "✗ +22.0 %, over by 7.0", "no data"
QString cellText(const Threshold& threshold, const nlohmann::json& cell) {
  if (!cell["value"].is_number()) return QStringLiteral("no data");
  const double value = cell["value"];
  const QString text = valueText(threshold, value);
  if (cell["verdict"] == "pass") return QStringLiteral("✓ ") + text + (cell["sure"].get<bool>() ? QString() : QStringLiteral(" ?"));
  return QStringLiteral("✗ %1, by %2")
      .arg(text, QString::number(std::abs(value - threshold.limit), 'f', threshold.measure == evaluation::Measure::Value ? 2 : 1));
}

// "100", "7.5", "−5": six of them stand in a row. A hyphen may be typed for the minus sign.
class LimitBox : public QDoubleSpinBox {
 public:
  QString textFromValue(double value) const override {
    return locale().toString(value, 'f', value == std::floor(value) ? 0 : decimals()).replace(u'-', u'−');
  }
  double valueFromText(const QString& text) const override { return QDoubleSpinBox::valueFromText(plain(text)); }
  QValidator::State validate(QString& text, int& at) const override {
    QString typed = plain(text);                      // as long as `text`, so that `at` stays
    return QDoubleSpinBox::validate(typed, at);
  }

 private:
  static QString plain(QString text) { return text.replace(u'−', u'-'); }
};

}  // namespace

ThresholdTable::ThresholdTable(QWidget* parent) : QTableWidget(parent) {
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setSelectionMode(QAbstractItemView::SingleSelection);
  setAccessibleName(QStringLiteral("Thresholds"));
  horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  horizontalHeader()->setDefaultAlignment(Qt::AlignCenter | static_cast<Qt::Alignment>(Qt::TextWordWrap));
  verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  makeCopyable(this);
  connect(this, &QTableWidget::currentCellChanged, this, [this](int row, int column) {
    const QTableWidgetItem* at = item(row, column);
    Q_EMIT explained(at ? at->toolTip() : QString());
  });
}

void ThresholdTable::setThresholds(const std::vector<Threshold>& thresholds) {
  if (thresholds == thresholds_ && columnCount() > 0) return;
  thresholds_ = thresholds;
  clear();
  setColumnCount(static_cast<int>(thresholds_.size()));
  setRowCount(1);
  for (int column = 0; column < columnCount(); ++column) {
    const Threshold& t = thresholds_[static_cast<std::size_t>(column)];
    auto* header = new QTableWidgetItem;
    header->setToolTip(t.measure == evaluation::Measure::Share    ? QStringLiteral("in percent of the baseline's")
                       : t.measure == evaluation::Measure::Change ? QStringLiteral("change against the baseline, in percent")
                                                                  : QString());
    setHorizontalHeaderItem(column, header);
    makeEditor(column);
  }
  nameColumns();
  fill();
}

void ThresholdTable::setLabels(const evaluation::Labels& labels) {
  labels_ = labels;
  nameColumns();
}

void ThresholdTable::nameColumns() {
  for (int column = 0; column < columnCount(); ++column) {
    const QString name = QString::fromStdString(evaluation::labelOf(thresholds_[static_cast<std::size_t>(column)], labels_));
    horizontalHeaderItem(column)->setText(name);
    if (auto* on = cellWidget(0, column)->findChild<QCheckBox*>()) on->setAccessibleName(name);
  }
  fitHeight();
}

void ThresholdTable::makeEditor(int column) {
  const Threshold& t = thresholds_[static_cast<std::size_t>(column)];
  auto* cell = new QWidget;
  auto* layout = new QHBoxLayout(cell);
  layout->setContentsMargins(3, 2, 2, 2), layout->setSpacing(2);
  auto* on = new QCheckBox;
  on->setChecked(t.on), on->setToolTip(QStringLiteral("Whether it counts"));
  auto* limit = new LimitBox;
  limit->setStyleSheet(QStringLiteral("QDoubleSpinBox { padding: 3px 1px; }"));
  limit->setRange(-1000, 1000), limit->setDecimals(1), limit->setValue(t.limit), limit->setEnabled(t.on);
  limit->setPrefix(t.side == evaluation::Side::Below ? QStringLiteral("< ") : QStringLiteral("> "));
  limit->setSuffix(t.measure == evaluation::Measure::Value ? QString() : QStringLiteral(" %"));
  limit->setAccessibleName(QString::fromStdString(evaluation::limitText(t)));
  layout->addWidget(on), layout->addWidget(limit, 1);
  setCellWidget(0, column, cell);
  connect(on, &QCheckBox::toggled, this, [this, column, limit](bool checked) {
    thresholds_[static_cast<std::size_t>(column)].on = checked;
    limit->setEnabled(checked);
    Q_EMIT edited(thresholds_);
  });
  connect(limit, &QDoubleSpinBox::valueChanged, this, [this, column](double value) {
    thresholds_[static_cast<std::size_t>(column)].limit = value;
    Q_EMIT edited(thresholds_);
  });
}

void ThresholdTable::setReport(const nlohmann::json& report) {
  judged_ = report.is_object() ? report["judged"] : nlohmann::json::array();
  precisions_.clear();
  if (report.is_object())
    for (std::size_t i = 1; i < report["precisions"].size(); ++i) precisions_ << QString::fromStdString(report["precisions"][i]);
  fill();
}

void ThresholdTable::fill() {
  setRowCount(1 + static_cast<int>(precisions_.size()));
  QStringList names{QStringLiteral("limit")};
  for (const QString& precision : precisions_) names << ui::shortName(precision);
  setVerticalHeaderLabels(names);
  for (int row = 0; row < precisions_.size(); ++row)
    for (int column = 0; column < columnCount(); ++column) {
      const Threshold& t = thresholds_[static_cast<std::size_t>(column)];
      auto* shown = new QTableWidgetItem;
      for (const nlohmann::json& cell : judged_) {
        if (cell["threshold"] != t.id || cell["precision"] != precisions_[row].toStdString()) continue;
        shown->setText(cellText(t, cell)), shown->setToolTip(QString::fromStdString(cell["sentence"]));
        shown->setData(kVerdict, QString::fromStdString(cell["verdict"]));
      }
      setItem(row + 1, column, shown);
    }
  colour();
  fitHeight();
}

// Of the theme at hand.
void ThresholdTable::colour() {
  for (int row = 1; row < rowCount(); ++row)
    for (int column = 0; column < columnCount(); ++column)
      if (auto* shown = item(row, column)) {
        const QString verdict = shown->data(kVerdict).toString();
        shown->setForeground(verdict == QStringLiteral("pass") ? theme().right : verdict == QStringLiteral("fail") ? theme().wrong : theme().quiet);
      }
}

void ThresholdTable::changeEvent(QEvent* event) {
  QTableWidget::changeEvent(event);
  if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange) colour();
}

// As high as it needs, up to six rows; names that are wider than their columns take two lines.
void ThresholdTable::fitHeight() {
  QFont bold = horizontalHeader()->font();
  bold.setWeight(QFont::DemiBold);
  const QFontMetrics metrics(bold);
  bool wraps = false;
  for (int column = 0; column < columnCount(); ++column)
    if (const auto* name = horizontalHeaderItem(column))
      wraps = wraps || metrics.horizontalAdvance(name->text()) + 12 > horizontalHeader()->sectionSize(column);
  const int header = (wraps ? 2 : 1) * metrics.height() + 12;
  horizontalHeader()->setFixedHeight(header);
  int height = header + 2 * frameWidth() + 2;
  for (int row = 0; row < std::min(rowCount(), 7); ++row) height += rowHeight(row);
  setFixedHeight(height);
}

void ThresholdTable::resizeEvent(QResizeEvent* event) {
  QTableWidget::resizeEvent(event);
  fitHeight();
}

}  // namespace quantspot::views
