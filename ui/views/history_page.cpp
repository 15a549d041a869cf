#include "ui/views/history_page.h"

#include "ui/models/history_model.h"
#include "ui/views/history_actions.h"
#include "ui/views/path_dialog.h"
#include "ui/views/sheet_delegate.h"

#include <QContextMenuEvent>
#include <QDir>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include <utility>

namespace quantspot::views {
namespace {
constexpr int kGap = 9;                  // on every side of a sheet
}

HistoryPage::HistoryPage(ui::HistoryModel* model, QWidget* parent)
    : QWidget(parent), model_(model), search_(new QLineEdit), sheets_(new QListView), actions_(new HistoryActions),
      tagRow_(new QHBoxLayout), empty_(new QLabel) {
  search_->setPlaceholderText(QStringLiteral("Search prompts, models, precisions and tags"));
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
  connect(model_, &QAbstractItemModel::modelAboutToBeReset, this, [this] { kept_ = chosen(); });
  connect(model_, &QAbstractItemModel::modelReset, this, &HistoryPage::refresh);
  connectActions();

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(18 - kGap, 16, 18 - kGap, 12), layout->setSpacing(4);
  auto* top = new QHBoxLayout;
  top->setContentsMargins(kGap, 0, kGap, 0);
  top->addWidget(search_, 1), top->addStretch(1), top->addWidget(exportButton()), top->addWidget(importButton());
  tagRow_->setContentsMargins(kGap, 0, kGap, 0), tagRow_->setSpacing(2);
  layout->addLayout(top), layout->addLayout(tagRow_), layout->addWidget(sheets_, 1), layout->addWidget(actions_), layout->addWidget(empty_, 1);
  refresh();
}

QPushButton* HistoryPage::importButton() {
  auto* button = new QPushButton(QStringLiteral("Import pictures…"));
  button->setToolTip(QStringLiteral("Pictures made elsewhere, to be judged blind: folders named by precision, or a list (.csv, .json)"));
  auto* menu = new QMenu(button);
  menu->addAction(QStringLiteral("Folder of folders named by precision…"), this, [this] {
    askForPath(this, {QStringLiteral("Folder with a folder for each precision"), PathKind::Folder},
        [this](const QString& path) { Q_EMIT importWanted(path); });
  });
  menu->addAction(QStringLiteral("List of pictures (.csv, .json)…"), this, [this] {
    askForPath(this, {QStringLiteral("List with columns prompt, seed, precision, file"), PathKind::File, {}, QStringLiteral("Lists (*.csv *.json)")},
               [this](const QString& path) { Q_EMIT importWanted(path); });
  });
  button->setMenu(menu);
  return button;
}

QPushButton* HistoryPage::exportButton() {
  auto* button = new QPushButton(QStringLiteral("Save answers…"));
  button->setToolTip(QStringLiteral("All guesses and ratings as a table (CSV), a row per picture"));
  connect(button, &QPushButton::clicked, this, [this] {
    askForPath(this, {QStringLiteral("Save answers"), PathKind::NewFile, QDir::homePath() + QStringLiteral("/answers.csv"),
        QStringLiteral("Tables (*.csv)")},
               [this](const QString& path) { Q_EMIT exportWanted(path); });
  });
  return button;
}

void HistoryPage::focusSearch() {
  if (const qint64 newest = model_->comparisonAt(0); newest != std::exchange(newest_, newest))
    sheets_->setCurrentIndex(model_->index(0, sheets_->modelColumn()));
  search_->setFocus();
}

void HistoryPage::connectActions() {
  connect(sheets_->selectionModel(), &QItemSelectionModel::currentChanged, actions_, &HistoryActions::setSheet);
  sheets_->viewport()->installEventFilter(this);
  connect(actions_, &HistoryActions::openWanted, this, [this] { Q_EMIT opened(chosen()); });
  connect(actions_, &HistoryActions::nextSeedWanted, this, [this] { Q_EMIT nextSeedWanted(chosen()); });
  connect(actions_, &HistoryActions::changeWanted, this, [this] { Q_EMIT changeWanted(chosen()); });
  connect(actions_, &HistoryActions::compareWanted, this, [this] { Q_EMIT compareWanted(chosen()); });
  connect(actions_, &HistoryActions::tagsEdited, this, [this](const QStringList& tags) { model_->setTags(sheets_->currentIndex().row(), tags); });
}

// The right button chooses without opening.
bool HistoryPage::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::ContextMenu) {
    const QModelIndex at = sheets_->indexAt(static_cast<QContextMenuEvent*>(event)->pos());
    if (at.isValid()) sheets_->setCurrentIndex(at);
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

qint64 HistoryPage::chosen() const { return model_->comparisonAt(sheets_->currentIndex().row()); }

// Tags as buttons that search for them.
void HistoryPage::showTags() {
  while (QLayoutItem* item = tagRow_->takeAt(0)) {
    if (item->widget()) item->widget()->deleteLater();
    delete item;
  }
  constexpr int kMost = 12;
  for (const QString& tag : model_->tags().mid(0, kMost)) {
    auto* button = new QToolButton;
    button->setText(QStringLiteral("#") + tag), button->setToolTip(QStringLiteral("Show what has this tag"));
    button->setCheckable(true), button->setChecked(search_->text() == tag);
    connect(button, &QToolButton::clicked, search_, [this, tag](bool on) { search_->setText(on ? tag : QString()); });
    tagRow_->addWidget(button);
  }
  tagRow_->addStretch(1);
}

void HistoryPage::refresh() {
  sheets_->setCurrentIndex(model_->index(std::max(0, model_->rowOf(kept_)), sheets_->modelColumn()));
  actions_->setSheet(sheets_->currentIndex());
  showTags();
  const bool none = model_->rowCount() == 0;
  sheets_->setVisible(!none), empty_->setVisible(none);
  empty_->setText(search_->text().isEmpty() ? QStringLiteral("Comparisons are kept here once they are answered.")
                                            : QStringLiteral("Nothing matches “%1”.").arg(search_->text()));
}

}  // namespace quantspot::views
