// A limit that is pulled: stops from strict to loose, the last of which asks nothing.
#pragma once

#include <QWidget>

#include <optional>
#include <vector>

class QLabel;
class QSlider;

namespace quantspot::views {

class LimitSlider : public QWidget {
  Q_OBJECT
 public:
  // texts: of each value, and one more for "any".
  LimitSlider(const QString& title, std::vector<double> values, QStringList texts, QWidget* parent = nullptr);

  void setTitle(const QString& title);
  std::optional<double> value() const;     // absent: any
  void setValue(std::optional<double> value);   // to the nearest stop
  QSlider* slider() { return slider_; }

 Q_SIGNALS:
  void changed();

 private:
  void show();

  std::vector<double> values_;
  QStringList texts_;
  QSlider* slider_;
  QLabel *title_, *text_;
};

}  // namespace quantspot::views
