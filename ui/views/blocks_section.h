// The parts of a study: a row per block of trials.
#pragma once

#include "ui/models/study_draft.h"

#include <QJsonValue>
#include <QWidget>

class QGridLayout;
class QVBoxLayout;

namespace quantspot::views {

class BlocksSection : public QWidget {
  Q_OBJECT
 public:
  explicit BlocksSection(ui::StudyDraft* draft, QWidget* parent = nullptr);   // draft is not owned

 public Q_SLOTS:
  void addBlock();

 Q_SIGNALS:
  void touched(int block);               // somebody works on it: the preview may show it

 private:
  void rebuild();
  void addRow(QGridLayout* grid, int row);
  QWidget* number(int block, const QString& name, int least, int most, int value, std::function<void(study::Block&, int)> set);
  void edit(int block, const std::function<void(study::Block&)>& change);

  ui::StudyDraft* draft_;
  QVBoxLayout* column_;
  QWidget* rows_ = nullptr;
  QJsonValue built_;                     // the blocks that the rows show
};

}  // namespace quantspot::views
