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

 Q_SIGNALS:
  void themeChosen(bool dark);

 private:
  QWidget* makeHeader();
  void addTab(const QString& text, Page page, const QKeySequence& key, QWidget* header);
  void addShortcuts();
  void toggleTheme();
  void openPast(qint64 comparison);
  void importPictures(const QString& path);

  ui::CompareSession* session_;
  ComparePage* compare_;
  EvaluatePage* evaluate_;
  StudyPage* study_;
  DecidePage* decide_;
  HistoryPage* history_;
  QStackedWidget* pages_;
  QButtonGroup* tabs_;
  QToolButton* theme_;
};

}  // namespace quantspot::views
