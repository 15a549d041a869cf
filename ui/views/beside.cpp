#include "ui/views/beside.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QMainWindow>
#include <QScreen>
#include <QTableView>
#include <QWidget>

#include <algorithm>

namespace quantspot::views {
namespace {

constexpr auto kPlaced = "placed";       // from the second time on it is where the user left it

QString lineOf(QString text) { return text.replace(u'\n', QStringLiteral("; ")).replace(u'\t', u' '); }

bool isShown(const QTableView& table, int row, int column) { return !table.isRowHidden(row) && !table.isColumnHidden(column); }

// Rows and columns from the first to the last of these; of everything without.
QString textOf(const QTableView& table, const QModelIndexList& chosen) {
  const QAbstractItemModel& model = *table.model();
  int top = 0, bottom = model.rowCount() - 1, left = 0, right = model.columnCount() - 1;
  if (chosen.size() > 1) {
    const auto [low, high] = std::ranges::minmax(chosen, {}, [](const QModelIndex& at) { return at.row(); });
    const auto [first, last] = std::ranges::minmax(chosen, {}, [](const QModelIndex& at) { return at.column(); });
    top = low.row(), bottom = high.row(), left = first.column(), right = last.column();
  }
  const auto header = [&](int section, Qt::Orientation orientation) { return lineOf(model.headerData(section, orientation).toString()); };
  const bool names = !table.verticalHeader()->isHidden();
  QStringList lines, heads;
  if (names) heads << QString();
  for (int column = left; column <= right; ++column)
    if (isShown(table, top, column)) heads << header(column, Qt::Horizontal);
  lines << heads.join(u'\t');
  for (int row = top; row <= bottom; ++row) {
    QStringList cells;
    if (names) cells << header(row, Qt::Vertical);
    for (int column = left; column <= right; ++column)
      if (isShown(table, row, column)) cells << lineOf(model.index(row, column).data().toString());
    lines << cells.join(u'\t');
  }
  return lines.join(u'\n') + u'\n';
}

}  // namespace

void showBeside(QWidget* window) {
  if (window->parentWidget() && !window->property(kPlaced).toBool()) {
    const QWidget* over = window->parentWidget()->window();
    if (!window->testAttribute(Qt::WA_Resized)) window->adjustSize();
    QRect place(QPoint(), window->size());
    place.moveCenter(over->frameGeometry().center());
    const QRect screen = over->screen()->availableGeometry();
    place.moveLeft(std::clamp(place.left(), screen.left(), std::max(screen.left(), screen.right() - place.width())));
    place.moveTop(std::clamp(place.top(), screen.top(), std::max(screen.top(), screen.bottom() - place.height())));
    window->move(place.topLeft());
    window->setProperty(kPlaced, true);
  }
  window->show(), window->raise(), window->activateWindow();
}

void hideOthers(const QWidget* blind) {
  for (QWidget* window : QApplication::topLevelWidgets())
    if (window != blind && window->isVisible() && !qobject_cast<QMainWindow*>(window) && window->windowType() != Qt::ToolTip) window->hide();
}

void makeCopyable(QTableView* table) {
  auto* copy = new QAction(QObject::tr("Copy"), table);
  copy->setShortcut(QKeySequence::Copy), copy->setShortcutContext(Qt::WidgetWithChildrenShortcut);
  auto* all = new QAction(QObject::tr("Copy the table"), table);
  QObject::connect(copy, &QAction::triggered, table, [table] {
    QApplication::clipboard()->setText(textOf(*table, table->selectionModel()->selectedIndexes()));
  });
  QObject::connect(all, &QAction::triggered, table, [table] { QApplication::clipboard()->setText(textOf(*table, {})); });
  table->addActions({copy, all});
  table->setContextMenuPolicy(Qt::ActionsContextMenu);
}

}  // namespace quantspot::views
