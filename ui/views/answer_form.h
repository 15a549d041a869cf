// The answer to an open trial: a precision for every tile, the odd tile, or a grade for every tile. Shows what the TrialController holds and nothing
// else: it cannot know more than the user has said.
#pragma once

#include <QWidget>

#include <vector>

class QButtonGroup;
class QComboBox;
class QLabel;
class QVBoxLayout;

namespace quantspot::ui {
class TrialController;
}

namespace quantspot::views {

class PrecisionChip;

class AnswerForm : public QWidget {
  Q_OBJECT
 public:
  explicit AnswerForm(ui::TrialController* trial, QWidget* parent = nullptr);   // trial is not owned

  void rebuild();                        // for the trial that was just opened
  void setArmed(int tile);               // -1: none; a click on a chip then names this tile
  int armed() const { return armed_; }

 Q_SIGNALS:
  void named(int tile);                  // by the form: the next tile may be armed

 private:
  void clear();
  void buildNames();
  void buildSpot();
  void buildGrades();
  void refreshGrades();
  void refresh();

  ui::TrialController* trial_;
  QVBoxLayout* layout_;
  QWidget* content_ = nullptr;
  std::vector<QComboBox*> combos_;
  std::vector<PrecisionChip*> chips_;
  std::vector<QLabel*> letters_;
  QButtonGroup* picks_ = nullptr;
  std::vector<QButtonGroup*> grades_;        // of a tile; ids are the grades
  std::vector<QLabel*> words_;               // of a tile: what its grade means
  int armed_ = -1;
};

}  // namespace quantspot::views
