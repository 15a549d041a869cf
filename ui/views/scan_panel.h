// Measures what a low precision does to each layer, shows it as bars, and finds policies by it. Part of the policy editor.
#pragma once

#include "ui/models/comparison.h"

#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QRadioButton;
class QSpinBox;

namespace quantspot::ui {
class CompareSession;
}

namespace quantspot::views {

class ScanChart;

class ScanPanel : public QWidget {
  Q_OBJECT
 public:
  explicit ScanPanel(ui::CompareSession* session, QWidget* parent = nullptr);   // session is not owned

  // What the page draws: prompt, size and steps that a scan begins with.
  void setRecipe(const protocol::Recipe& recipe);
  void fillPrecisions();
  void measure();
  ScanChart* chart() { return chart_; }

 Q_SIGNALS:
  void found(const QString& policy, const QString& about);   // a policy for the table, and what was measured of it
  void layersChosen(const QStringList& layers);
  void failed(const QString& message);

 private:
  QWidget* makeQuestion();
  QWidget* makeRun();
  QWidget* makeSearch();
  void refresh();
  void refreshEstimate();
  void showResult();
  protocol::ScanParams params() const;
  qint64 groups() const;                          // that a scan would measure, as far as the layers are known
  void tellFound(const protocol::FoundPolicy& policy);

  ui::CompareSession* session_;
  protocol::Recipe recipe_;
  QComboBox* low_;
  QPlainTextEdit* prompts_;
  QRadioButton *blocks_, *layers_;
  QSpinBox* steps_;
  QPushButton *measure_, *cancel_, *underError_, *underSize_;
  QLabel *estimate_, *status_, *summary_;
  QProgressBar* progress_;
  ScanChart* chart_;
  QDoubleSpinBox *error_, *size_;
  QWidget *run_, *search_;
};

}  // namespace quantspot::views
