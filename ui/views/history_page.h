// Past comparisons as contact sheets, newest first, with search and tags. A click opens one with its names and charts; below them lies what else can
// be done with the one that is chosen (by arrows or the right button; the newest at first).
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QHBoxLayout;
class QListView;
class QPushButton;

namespace quantspot::ui {
class HistoryModel;
}

namespace quantspot::views {

class HistoryActions;

class HistoryPage : public QWidget {
  Q_OBJECT
 public:
  explicit HistoryPage(ui::HistoryModel* model, QWidget* parent = nullptr);   // model is not owned

  void focusSearch();                             // and chooses the newest, when it came since the last time
  QListView* sheets() { return sheets_; }
  HistoryActions* actions() { return actions_; }
  QLineEdit* search() { return search_; }

 Q_SIGNALS:
  void opened(qint64 comparison);
  void nextSeedWanted(qint64 comparison);
  void changeWanted(qint64 comparison);
  void compareWanted(qint64 comparison);
  void importWanted(const QString& path);         // a folder or a list of pictures made elsewhere
  void exportWanted(const QString& path);         // of all answers, a table

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void refresh();
  void showTags();
  void connectActions();
  qint64 chosen() const;
  QPushButton* importButton();
  QPushButton* exportButton();

  ui::HistoryModel* model_;
  QLineEdit* search_;
  QListView* sheets_;
  HistoryActions* actions_;
  QHBoxLayout* tagRow_;
  qint64 kept_ = 0, newest_ = 0;                  // chosen before the list came anew; newest when the page was shown last
  QLabel* empty_;
};

}  // namespace quantspot::views
