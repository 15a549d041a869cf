// Asks which model to bring from a hub, and shows how far it is. Not modal; closing it does not stop a download.
#pragma once

#include <QWidget>

class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace quantspot::ui {
class ModelDownload;
}

namespace quantspot::views {

class DownloadDialog : public QWidget {
  Q_OBJECT
 public:
  explicit DownloadDialog(ui::ModelDownload* download, QWidget* parent = nullptr);   // download is not owned

  void open();
  QLineEdit* repository() { return repository_; }
  QPushButton* startButton() { return start_; }
  QString said() const;                           // the line under the fields

 Q_SIGNALS:
  void downloaded(const QString& path);           // a model for the list

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void refresh();
  void tell(const QString& line, bool problem);

  ui::ModelDownload* download_;
  QLineEdit *repository_, *revision_, *include_;
  QLabel *note_, *status_;
  QProgressBar* progress_;
  QPushButton *start_, *cancel_;
};

}  // namespace quantspot::views
