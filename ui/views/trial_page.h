// One trial on screen: the question, the pictures on neutral grey, the answers with their keys, and what may be done with the pictures.
#pragma once

#include <QSet>
#include <QWidget>

#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QPushButton;
class QTimer;

namespace quantspot::ui {
class ParticipantSession;
}

namespace quantspot::views {

class ImageGrid;
class RankingStrip;

class TrialPage : public QWidget {
  Q_OBJECT
 public:
  explicit TrialPage(ui::ParticipantSession* session, QWidget* parent = nullptr);   // session is not owned

  void showBlank();                        // grey, nothing to answer
  void showTrial();                        // the session's trial: all its pictures at once
  ImageGrid* grid() { return grid_; }
  RankingStrip* ranking() { return ranking_; }
  QString chosen() const;                  // the answer that Return would save; empty: none yet
  void choose(const QString& answer);
  void save();

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  struct Choice { QString answer; int key; QPushButton* button; };

  QWidget* makeTop();
  QWidget* makeBottom();
  void makeChoices();
  void makeTools();
  void addTool(const QString& keys, const QString& text, std::function<void()> run = {});
  bool handleTool(int key);
  bool handleView(int key);
  void toggle(int mode);
  void nextComparison();
  void refresh();
  void showBusy();
  void showTimeUp();
  void say(const QString& text, bool problem = false);
  QJsonObject facts() const;

  ui::ParticipantSession* session_;
  ImageGrid* grid_;
  RankingStrip* ranking_;
  QLabel *question_, *progress_, *status_;
  QHBoxLayout *answers_, *tools_;
  QWidget *answerRow_ = nullptr, *toolRow_ = nullptr;
  QPushButton* save_;
  QTimer* countdown_;
  std::vector<Choice> choices_;
  QString chosen_;
  QSet<QString> used_;                     // tools, since the pictures appeared
  bool blank_ = true, acknowledged_ = false;   // acknowledged_: the last answer is on disk, and the grey before the next trial says so
};

}  // namespace quantspot::views
