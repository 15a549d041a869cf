// What was answered where what was true.
#pragma once

#include "ui/views/card.h"

#include <QJsonArray>
#include <QStringList>

class QComboBox;

namespace quantspot::views {

// The table alone: a row per truth, a column per answer.
class ConfusionTable : public QWidget {
  Q_OBJECT
 public:
  using QWidget::QWidget;
  void setTable(const QStringList& answers, const QJsonArray& counts);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return {200, 120}; }

 protected:
  void paintEvent(QPaintEvent*) override;

 private:
  QStringList answers_;
  QJsonArray counts_;
};

class ConfusionCard : public Card {
  Q_OBJECT
 public:
  explicit ConfusionCard(const QString& title, QWidget* parent = nullptr);
  void setTables(const QJsonArray& tables);   // "confusion" of an analysis
  QComboBox* choice() { return choice_; }

 private:
  void showTable(int index);

  QJsonArray tables_;
  QComboBox* choice_;
  ConfusionTable* table_;
};

}  // namespace quantspot::views
