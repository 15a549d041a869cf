// A draft as a checklist of sections, with what participants will see and how many trials it takes beside it.
#pragma once

#include "ui/models/study_freezer.h"

#include <QWidget>

#include <vector>

class QBoxLayout;
class QLabel;
class QLineEdit;
class QScrollArea;
class QVBoxLayout;

namespace quantspot::views {

class BlocksSection;
class ComparisonsSection;
class FreezeBar;
class PowerPanel;
class StudyPreview;

class StudyDesigner : public QWidget {
  Q_OBJECT
 public:
  // Takes the draft; store is not owned. studies: where the frozen study goes, as Ledger's.
  StudyDesigner(std::unique_ptr<ui::StudyDraft> draft, study::StudyStore* store, QString studies, QWidget* parent = nullptr);

  ui::StudyDraft* draft() { return draft_.get(); }
  ComparisonsSection* comparisons() { return comparisons_; }
  BlocksSection* blocks() { return blocks_; }
  PowerPanel* power() { return power_; }
  StudyPreview* preview() { return preview_; }
  FreezeBar* freezeBar() { return freeze_; }
  ui::StudyFreezer* freezer() { return &freezer_; }
  QString state(ui::DraftSection section) const;         // "✓", or the problem

 Q_SIGNALS:
  void frozen(const QString& hash, const QString& notice);   // as StudyFreezer's
  void freezing(bool running);                           // nothing else may be opened in place of this page meanwhile
  void discarded();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QScrollArea* makeSections();
  QWidget* makeSide();
  void addSection(QVBoxLayout* column, ui::DraftSection section, const QString& title, const QList<QWidget*>& content);
  void refresh();
  void freeze(const QString& passphrase);
  void endFreezing(const QString& problem);

  std::unique_ptr<ui::StudyDraft> draft_;
  study::StudyStore* store_;
  const QString studies_;
  QLineEdit* title_;
  ComparisonsSection* comparisons_;
  BlocksSection* blocks_;
  PowerPanel* power_;
  StudyPreview* preview_;
  FreezeBar* freeze_;
  void placeSide();

  QScrollArea* sections_ = nullptr;
  QWidget* side_ = nullptr;
  QBoxLayout *middle_, *column_ = nullptr, *sideColumn_ = nullptr;
  int form_ = 0;                                         // what the form needs of the width
  std::vector<QLabel*> states_;
  ui::StudyFreezer freezer_;
};

}  // namespace quantspot::views
