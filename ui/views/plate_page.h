// The colour-vision check: one plate on neutral grey, and the number that is seen in it.
#pragma once

#include <QWidget>

#include <vector>

class QLabel;
class QPushButton;

namespace quantspot::ui {
class ParticipantSession;
struct PlateDot;
}

namespace quantspot::views {

// The dots alone, as large as there is room, sharp at every scaling; says nothing to readers of the screen.
class PlateView : public QWidget {
  Q_OBJECT
 public:
  explicit PlateView(QWidget* parent = nullptr);
  ~PlateView() override;
  void setDots(std::vector<ui::PlateDot> dots);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  std::vector<ui::PlateDot> dots_;
};

class PlatePage : public QWidget {
  Q_OBJECT
 public:
  explicit PlatePage(ui::ParticipantSession* session, QWidget* parent = nullptr);   // session is not owned

  void showPlate();                        // the session's; nothing is chosen yet
  void showNothing();
  QString chosen() const { return chosen_; }   // "0" … "9", "none"; empty: nothing yet
  PlateView* plate() { return plate_; }
  void setProblem(const QString& problem);

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  QWidget* makeTop();
  QWidget* makeBottom();
  void addChoice(QWidget* row, const QString& text, const QString& answer);
  void choose(const QString& answer);
  void save();

  ui::ParticipantSession* session_;
  PlateView* plate_;
  QLabel *question_, *progress_, *problem_;
  QPushButton* save_;
  std::vector<std::pair<QString, QPushButton*>> choices_;
  QString chosen_;
};

}  // namespace quantspot::views
