// The bottom line: what is going on, how far, cancel, and the running score.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace quantspot::views {

class Footer : public QWidget {
  Q_OBJECT
 public:
  explicit Footer(QWidget* parent = nullptr);

  void setProgress(const QString& text, double fraction);   // 0 to 1
  void endProgress();                                       // leaves a notice that came meanwhile
  void setNotice(const QString& text, bool problem = false);
  void setScore(const QString& text, const QString& tip);   // cut where there is no room; the tip has it whole

 Q_SIGNALS:
  void cancel();

 protected:
  void resizeEvent(QResizeEvent*) override { showScore(); }

 private:
  void showScore();

  QLabel *text_, *score_;
  QString scoreText_;
  QProgressBar* bar_;
  QPushButton* cancel_;
};

}  // namespace quantspot::views
