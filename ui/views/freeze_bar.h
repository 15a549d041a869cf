// The one button that ends the planning: a sentence on what it means, the passphrase twice.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace quantspot::views {

class FreezeBar : public QWidget {
  Q_OBJECT
 public:
  explicit FreezeBar(QWidget* parent = nullptr);

  void setProblem(const QString& problem);   // why it cannot be frozen yet; empty when it can
  void say(const QString& message);          // what went wrong
  // While it is frozen: nothing can be typed, and it can be given up until the seal.
  void setFreezing(bool freezing);
  void setProgress(int done, int of);        // comparisons
  void setSealing();                         // from here on there is nothing to give up
  QPushButton* cancelButton() { return cancel_; }
  QPushButton* button() { return freeze_; }
  QLineEdit* passphrase() { return first_; }
  QLineEdit* again() { return second_; }

 Q_SIGNALS:
  void freeze(const QString& passphrase);
  void cancelled();

 private:
  void tryFreeze();

  QLabel *sentence_, *problem_;
  QLineEdit *first_, *second_;
  QPushButton *freeze_, *cancel_;
  QProgressBar* progress_;
  QString blocked_;                          // why it cannot be frozen
};

}  // namespace quantspot::views
