// A full page of text in the middle of the screen with the few things one can do about it.
#pragma once

#include <QWidget>

#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QLineEdit;
class QVBoxLayout;

namespace quantspot::views {

// key: what starts it besides a click.
struct CardAction { QString text; QKeySequence key; std::function<void()> run; };
// A line to type in; echo hidden for secrets.
struct CardField { QString label; bool secret = false; };

class MessageCard : public QWidget {
  Q_OBJECT
 public:
  explicit MessageCard(QWidget* parent = nullptr);

  // The focus goes to the field, or else to the first action, which is the main one. No field without a label.
  void show(const QString& title, const QString& text, std::vector<CardAction> actions, const CardField& field = {});
  void setProblem(const QString& problem);
  void setProgress(const QString& text);        // in its place: that something goes on
  QString fieldText() const;
  QLineEdit* field() { return field_; }

 private:
  QLabel *title_, *text_, *problem_, *fieldLabel_, *keys_;
  QLineEdit* field_;
  QHBoxLayout* row_;
  QWidget* buttons_ = nullptr;
};

}  // namespace quantspot::views
