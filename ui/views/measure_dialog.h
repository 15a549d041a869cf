// What an evaluation measures: metrics with what each lacks, the pictures that sets are compared with, people's ratings, error growth. Not modal.
#pragma once

#include "ui/models/evaluation_run.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QToolButton;

namespace quantspot::views {

class MeasureDialog : public QWidget {
  Q_OBJECT
 public:
  explicit MeasureDialog(QWidget* parent = nullptr);

  // What the engine offers for the model. Ticks stay where they were; until the first tick by hand they are the default.
  void setOffers(const std::vector<evaluation::Metric>& offered, int width, int height);
  // Its metrics, real, ratings and growth.
  void setRequest(const ui::EvaluationRequest& request);
  void fill(ui::EvaluationRequest& request) const;
  QString summary() const;                        // "CLIP-tiny, PSNR and 4 more"
  QString lacking() const;                        // what weights would add; empty: nothing is lacking

  void open();
  QListWidget* list() { return list_; }
  QLineEdit* real() { return real_; }
  QLineEdit* ratings() { return ratings_; }
  QCheckBox* growth() { return growth_; }

 Q_SIGNALS:
  void edited();
  void weightsPressed();

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void layOut();
  QToolButton* chooser(const QString& name);
  void addChoice(QToolButton* button, const QString& text, QLineEdit* target, bool folder, const QString& filter);
  void fillList();
  QStringList ticked() const;

  std::vector<evaluation::Metric> offered_;
  QStringList names_;                             // chosen by hand; empty: the default
  int width_ = 0, height_ = 0;
  QListWidget* list_;
  QLineEdit *real_, *ratings_;
  QCheckBox* growth_;
  QLabel* note_;
};

}  // namespace quantspot::views
