// Asks the experimenter for the study's passphrase.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QPushButton;

namespace quantspot::views {

class UnlockPanel : public QWidget {
  Q_OBJECT
 public:
  // about: what lies behind it, in one or two sentences.
  UnlockPanel(const QString& title, const QString& about, QWidget* parent = nullptr);
  void setTexts(const QString& title, const QString& about);
  void setBusy(bool busy);                 // the key is being made
  void setProblem(const QString& problem); // shown until the next try
  void takeFocus();
  QLineEdit* field() { return field_; }

 Q_SIGNALS:
  void entered(const QString& passphrase);

 private:
  void enter();

  QLabel *head_, *about_, *problem_;
  QLineEdit* field_;
  QPushButton* button_;
};

}  // namespace quantspot::views
