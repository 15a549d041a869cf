// Widgets in rows, each row centred; what does not fit goes to the next one.
#pragma once

#include <QLayout>
#include <QList>

namespace quantspot::views {

class FlowLayout : public QLayout {
 public:
  explicit FlowLayout(int gap, QWidget* parent = nullptr);
  ~FlowLayout() override;

  void addItem(QLayoutItem* item) override { items_ << item; }
  int count() const override { return static_cast<int>(items_.size()); }
  QLayoutItem* itemAt(int index) const override { return items_.value(index); }
  QLayoutItem* takeAt(int index) override { return index >= 0 && index < count() ? items_.takeAt(index) : nullptr; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override { return place({0, 0, width, 0}, false); }
  QSize minimumSize() const override;
  QSize sizeHint() const override;             // all in one row
  Qt::Orientations expandingDirections() const override { return Qt::Horizontal; }
  void setGeometry(const QRect& area) override;

 private:
  int place(QRect area, bool really) const;    // returns the height

  const int gap_;
  QList<QLayoutItem*> items_;
};

}  // namespace quantspot::views
