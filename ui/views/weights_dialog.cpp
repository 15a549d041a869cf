#include "ui/views/weights_dialog.h"

#include "ui/models/metric_weights.h"
#include "ui/models/precision_list_model.h"
#include "ui/views/beside.h"
#include "ui/views/theme.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

enum Column { Name, Purpose, Size, License, There, ColumnCount };

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

}  // namespace

WeightsDialog::WeightsDialog(ui::MetricWeights* weights, QWidget* parent)
    : QWidget(parent, Qt::Window), weights_(weights), table_(new QTableWidget(0, ColumnCount)), note_(new QLabel), status_(new QLabel),
      progress_(new QProgressBar), cancel_(new QPushButton(QStringLiteral("&Cancel"))) {
  setObjectName(QStringLiteral("policyEditor"));   // the ground of windows beside the page
  setAttribute(Qt::WA_StyledBackground);
  setWindowTitle(QStringLiteral("Metric weights"));
  table_->setHorizontalHeaderLabels({QStringLiteral("Weights"), QStringLiteral("Enable"), QStringLiteral("Size"), QStringLiteral("Licence"),
                                     QString()});
  table_->setAccessibleName(QStringLiteral("Metric weights")), table_->verticalHeader()->hide();
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers), table_->setSelectionMode(QAbstractItemView::NoSelection);
  table_->setFocusPolicy(Qt::NoFocus);
  note_->setWordWrap(true), note_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  status_->setProperty("role", "quiet");
  progress_->setTextVisible(false), progress_->setRange(0, 1000);
  auto* running = new QHBoxLayout;
  running->addWidget(status_), running->addWidget(progress_, 1), running->addWidget(cancel_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18, 16, 18, 16), layout->setSpacing(12);
  layout->addWidget(table_, 1), layout->addWidget(note_), layout->addLayout(running);
  resize(860, 480);
  connect(cancel_, &QPushButton::clicked, weights_, &ui::MetricWeights::cancel);
  connect(weights_, &ui::MetricWeights::listed, this, &WeightsDialog::fill);
  connect(weights_, &ui::MetricWeights::changed, this, &WeightsDialog::refresh);
  connect(weights_, &ui::MetricWeights::finished, this, [this](const QString& name) {
    fill();
    tell(QStringLiteral("%1 is here: what it enables can be measured now").arg(name), false);
  });
  connect(weights_, &ui::MetricWeights::failed, this, [this](const QString& message) {
    tell(message.isEmpty() ? QStringLiteral("Cancelled; what has come stays, and is not fetched again") : message, !message.isEmpty());
  });
  refresh();
}

void WeightsDialog::open() {
  tell(QStringLiteral("Looking at what is here"), false);
  weights_->list();
  showBeside(this);
}

QPushButton* WeightsDialog::downloadButton(int row) { return qobject_cast<QPushButton*>(table_->cellWidget(row, There)); }
QString WeightsDialog::said() const { return note_->text(); }

void WeightsDialog::fill() {
  table_->setRowCount(static_cast<int>(weights_->entries().size()));
  int row = 0;
  for (const protocol::MetricWeightsEntry& entry : weights_->entries()) {
    const QString name = text(entry.name);
    QStringList sources;
    for (const std::string& source : entry.sources) sources << text(source);
    const QString cells[] = {name, text(entry.purpose), QStringLiteral("about %1").arg(ui::fileSizeText(entry.bytes)), text(entry.license),
                             entry.installed ? QStringLiteral("here") : QString()};
    table_->removeCellWidget(row, There);
    for (int column = 0; column < ColumnCount; ++column) {
      auto* item = new QTableWidgetItem(cells[column]);
      item->setToolTip(column == Name ? sources.join(u'\n') : cells[column]);
      table_->setItem(row, column, item);
    }
    if (!entry.installed) {
      auto* button = new QPushButton(QStringLiteral("Download"));
      button->setAccessibleName(QStringLiteral("Download %1").arg(name)),
          button->setToolTip(QStringLiteral("From %1").arg(sources.join(QStringLiteral(" and "))));
      connect(button, &QPushButton::clicked, this, [this, name] {
        tell({}, false);
        weights_->download(name);
      });
      table_->setCellWidget(row, There, button);
    }
    ++row;
  }
  table_->resizeColumnsToContents(), table_->resizeRowsToContents();
  table_->horizontalHeader()->setSectionResizeMode(License, QHeaderView::Stretch);
  table_->setColumnWidth(There, 110);
  for (int at = 0; at < table_->rowCount() && !focusWidget(); ++at)
    if (QPushButton* button = downloadButton(at)) button->setFocus();
  tell(QStringLiteral("Kept in %1, on the engine's machine. Nothing is fetched before you press Download.").arg(weights_->folder()), false);
  refresh();
}

void WeightsDialog::tell(const QString& line, bool problem) {
  note_->setText(line);
  setRole(note_, problem ? "problem" : "quiet");
}

void WeightsDialog::refresh() {
  const bool running = !weights_->downloading().isEmpty();
  progress_->setVisible(running), cancel_->setVisible(running);
  progress_->setValue(static_cast<int>(1000 * weights_->fraction()));
  status_->setText(weights_->statusText());
  for (int row = 0; row < table_->rowCount(); ++row)
    if (QPushButton* button = downloadButton(row)) button->setEnabled(!running);
}

void WeightsDialog::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) close();
  else QWidget::keyPressEvent(event);
}

}  // namespace quantspot::views
