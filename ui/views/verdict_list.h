// The decisions of a study, largest thing on the page: a sentence per variant, "different" and "worse" on lines of their own.
#pragma once

#include <QJsonObject>
#include <QWidget>

class QVBoxLayout;

namespace quantspot::views {

class VerdictList : public QWidget {
  Q_OBJECT
 public:
  explicit VerdictList(QWidget* parent = nullptr);
  // tested: in the order of the part's "decisions".
  void setPart(const QJsonObject& part, const QStringList& tested);
  int count() const;

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void fill();

  QJsonObject part_;
  QStringList tested_;
  QVBoxLayout* column_;
};

// Rich text: the clauses of a decision on lines of their own, its numbers (what stands in brackets) in the quiet colour.
QString verdictHtml(const QString& decision);

}  // namespace quantspot::views
