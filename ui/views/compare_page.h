// The first page: recipe, precisions, pictures, question, and after the answer the result and the charts. Wiring only.
#pragma once

#include <QWidget>

#include <vector>

class QStackedLayout;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class ChartsPanel;
class DownloadDialog;
class Footer;
class ImageGrid;
class PolicyEditor;
class PrecisionPanel;
class QuestionPanel;
class RecipeBar;
class ResultPanel;
struct ResultEntry;

class ComparePage : public QWidget {
  Q_OBJECT
 public:
  explicit ComparePage(ui::CompareSession* session, QWidget* parent = nullptr);   // session is not owned

  void takeFocus();                           // the pictures when there are any, else the prompt
  void runNextSeed();                         // what is on screen once more, with the next seed
  void readyForChange();                      // says that the form holds what is on screen, and gives it the focus
  void setBlocked(const QString& reason);     // why nothing can be drawn now; empty: it can
  void setChartsOnly(bool only);              // the charts on the whole page; only after the reveal
  bool chartsOnly() const { return chartsOnly_; }

  void importPolicy(const QString& file);          // into the editor, which opens
  RecipeBar* recipeBar() { return recipe_; }
  PrecisionPanel* precisionPanel() { return precisions_; }
  ImageGrid* grid() { return grid_; }
  QuestionPanel* questionPanel() { return question_; }
  ResultPanel* resultPanel() { return result_; }
  ChartsPanel* charts() { return charts_; }
  PolicyEditor* policyEditor() { return policyEditor_; }   // null until it was opened
  DownloadDialog* downloadDialog() { return download_; }   // the same

 public Q_SLOTS:
  void generate();
  void answer();

 protected:
  void showEvent(QShowEvent* event) override;      // pictures that came meanwhile are seen from now on
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void layOut();
  void connectRecipe();
  void connectSession();
  void connectTrial();
  void connectResult();
  void refreshControls();
  void refreshEstimate();
  void startBlind();
  void onTrialOpened();
  void onChoices();
  void onRevealed();
  void onPastOpened();
  void showResult();
  void showDifference(int tile);
  void onKey(int tile, int number);
  void armNext();
  void editPolicy(const QString& text);
  void openDownload();

  ui::CompareSession* session_;
  RecipeBar* recipe_;
  PrecisionPanel* precisions_;
  ImageGrid* grid_;
  QuestionPanel* question_;
  ResultPanel* result_;
  ChartsPanel* charts_;
  Footer* footer_;
  PolicyEditor* policyEditor_ = nullptr;
  DownloadDialog* download_ = nullptr;
  QWidget* middle_;
  QStackedLayout* side_;
  QString blocked_;
  bool chartsOnly_ = false, connected_ = false, revealing_ = false;
};

}  // namespace quantspot::views
