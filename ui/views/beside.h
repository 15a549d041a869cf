// Small habits of windows beside the main one, and of tables.
#pragma once

class QTableView;
class QWidget;

namespace quantspot::views {

// Shows a window in front; the first time over the middle of its parent, inside the screen, then where the user left it.
void showBeside(QWidget* window);

// Hides every other window of the program: nothing with names stays beside a blind screen. Main windows stay.
void hideOthers(const QWidget* blind);

// Ctrl+C and the context menu copy what is selected, or the whole table where no more than one cell is, with its headers and tabs between:
// what spreadsheets take.
void makeCopyable(QTableView* table);

}  // namespace quantspot::views
