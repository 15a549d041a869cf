#include "ui/views/history_page.h"

#include "ui/models/history_model.h"
#include "ui/views/sheet_delegate.h"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {
constexpr int kGap = 9;                  // on every side of a sheet
}

HistoryPage::HistoryPage(ui::HistoryModel* model, QWidget* parent)
    : QWidget(parent), model_(model), search_(new QLineEdit), sheets_(new QListView), empty_(new QLabel) {
  search_->setPlaceholderText(QStringLiteral("Search prompts, models and precisions"));
  search_->setAccessibleName(QStringLiteral("Search"));
  search_->setClearButtonEnabled(true), search_->setMaximumWidth(420);
  sheets_->setModel(model_);
  sheets_->setModelColumn(ui::HistoryModel::Prompt);
  sheets_->setItemDelegate(new SheetDelegate(sheets_));
  sheets_->setViewMode(QListView::IconMode), sheets_->setResizeMode(QListView::Adjust);
  sheets_->setMovement(QListView::Static), sheets_->setUniformItemSizes(true);
  sheets_->setSpacing(kGap), sheets_->setMouseTracking(true);
  sheets_->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
  sheets_->setAccessibleName(QStringLiteral("Past comparisons"));
  empty_->setProperty("role", "quiet");
  empty_->setAlignment(Qt::AlignCenter);
  connect(search_, &QLineEdit::textChanged, model_, &ui::HistoryModel::setSearch);
  const auto open = [this](const QModelIndex& index) { Q_EMIT opened(model_->comparisonAt(index.row())); };
  connect(sheets_, &QListView::clicked, this, open);
  connect(sheets_, &QListView::activated, this, open);
  connect(model_, &QAbstractItemModel::modelReset, this, &HistoryPage::refresh);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18 - kGap, 16, 18 - kGap, 12), layout->setSpacing(4);
  auto* top = new QHBoxLayout;
  top->setContentsMargins(kGap, 0, kGap, 0);
  top->addWidget(search_, 1), top->addStretch(1), top->addWidget(importButton());
  layout->addLayout(top), layout->addWidget(sheets_, 1), layout->addWidget(empty_, 1);
  refresh();
}

QPushButton* HistoryPage::importButton() {
  auto* button = new QPushButton(QStringLiteral("Import pictures…"));
  button->setToolTip(QStringLiteral("Pictures made elsewhere, to be judged blind: folders named by precision, or a list (.csv, .json)"));
  auto* menu = new QMenu(button);
  menu->addAction(QStringLiteral("Folder of folders named by precision…"), this, [this] {
    if (const QString path = QFileDialog::getExistingDirectory(this, QStringLiteral("Folder with a folder for each precision")); !path.isEmpty()) Q_EMIT importWanted(path);
  });
  menu->addAction(QStringLiteral("List of pictures (.csv, .json)…"), this, [this] {
    const QString path = QFileDialog::getOpenFileName(this, QStringLiteral("List with columns prompt, seed, precision, file"), {}, QStringLiteral("Lists (*.csv *.json)"));
    if (!path.isEmpty()) Q_EMIT importWanted(path);
  });
  button->setMenu(menu);
  return button;
}

void HistoryPage::focusSearch() { search_->setFocus(); }

void HistoryPage::refresh() {
  const bool none = model_->rowCount() == 0;
  sheets_->setVisible(!none), empty_->setVisible(none);
  empty_->setText(search_->text().isEmpty() ? QStringLiteral("Comparisons are kept here once they are answered.")
                                            : QStringLiteral("Nothing matches “%1”.").arg(search_->text()));
}

}  // namespace quantspot::views
