// A line that ends in "…" where there is no room for it; the whole of it is its tip, and what screen readers say.
#pragma once

#include <QLabel>

namespace quantspot::views {

class ShortLabel : public QLabel {
 public:
  explicit ShortLabel(QWidget* parent = nullptr);

  void setLine(const QString& line);
  const QString& line() const { return line_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void cut();

  QString line_;
};

}  // namespace quantspot::views
