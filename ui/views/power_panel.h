// How many trials a study needs for the effect sought: a sentence and the curve.
#pragma once

#include "ui/models/study_draft.h"

#include <QWidget>

class QCustomPlot;
class QDoubleSpinBox;
class QLabel;

namespace quantspot::views {

class PowerPanel : public QWidget {
  Q_OBJECT
 public:
  explicit PowerPanel(ui::StudyDraft* draft, QWidget* parent = nullptr);   // draft is not owned

  QString said() const;                  // the sentence
  QCustomPlot* plot() { return plot_; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void refresh();
  void draw(double chance, int needed, int planned);

  ui::StudyDraft* draft_;
  QDoubleSpinBox *rate_, *power_;
  QLabel* sentence_;
  QCustomPlot* plot_;
};

}  // namespace quantspot::views
