// The window: the pages, how to get to them, and the theme.
#pragma once

#include <QMainWindow>

class QButtonGroup;
class QStackedWidget;
class QToolButton;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class ComparePage;
class DecidePage;
class EvaluatePage;
class HistoryPage;
class PairWindow;
class ProgramMenu;
class StudyPage;

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  enum Page { Compare, Evaluate, Study, Decide, History };

  explicit MainWindow(ui::CompareSession* session, QWidget* parent = nullptr);   // session is not owned

  void showPage(Page page);
  ComparePage* comparePage() { return compare_; }
  EvaluatePage* evaluatePage() { return evaluate_; }
  StudyPage* studyPage() { return study_; }
  DecidePage* decidePage() { return decide_; }
  HistoryPage* historyPage() { return history_; }
  ProgramMenu* programMenu() { return menu_; }
  PairWindow* pairWindow() { return pair_; }   // null before it was opened

 Q_SIGNALS:
  void themeChosen(bool dark);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  void take(const QString& path);                  // what was dropped
  void takePicture(const QString& path);
  QWidget* makeHeader();
  void addTab(const QString& text, Page page, const QKeySequence& key, QWidget* header);
  void addShortcuts();
  void toggleTheme();
  bool openPast(qint64 comparison);
  void compareTwo(qint64 comparison);
  void importPictures(const QString& path);
  void exportAnswers(const QString& path);
  void onTrialOpened();
  void tellWaiting(bool waiting);                  // on the Compare tab: pictures came while another page was looked at
  void noticeOthers();                             // another window may have written to the same folder

  ui::CompareSession* session_;
  ComparePage* compare_;
  EvaluatePage* evaluate_;
  StudyPage* study_;
  DecidePage* decide_;
  HistoryPage* history_;
  PairWindow* pair_ = nullptr;
  ProgramMenu* menu_;
  QStackedWidget* pages_;
  QButtonGroup* tabs_;
  QToolButton *theme_, *more_;
  qint64 seen_ = 0;                                // the newest comparison when it was last looked
};

}  // namespace quantspot::views
