// Rows of fields that show a draft's protocol and change it.
#pragma once

#include "ui/models/study_draft.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QGridLayout;
class QLineEdit;
class QPlainTextEdit;

namespace quantspot::views {

// The wheel over a field scrolls the page; it changes no value by accident.
void leaveWheelToPage(QWidget* field);

class DraftForm : public QWidget {
  Q_OBJECT
 public:
  using P = study::Protocol;
  explicit DraftForm(ui::StudyDraft* draft, QWidget* parent = nullptr);   // draft is not owned

  // Each adds a row: the label, the field, and how the field's value is read from a protocol and written to it. zero: what stands instead of 0.
  QDoubleSpinBox* addNumber(const QString& label, double most, int decimals, const QString& unit, const QString& zero,
                            std::function<double(const P&)> get, std::function<void(P&, double)> set);
  QComboBox* addChoice(const QString& label, const QStringList& choices, std::function<int(const P&)> get, std::function<void(P&, int)> set);
  QCheckBox* addFlag(const QString& label, std::function<bool(const P&)> get, std::function<void(P&, bool)> set);
  QLineEdit* addLine(const QString& label, const QString& placeholder, std::function<QString(const P&)> get, std::function<void(P&, const QString&)> set);
  QPlainTextEdit* addText(const QString& label, std::function<QString(const P&)> get, std::function<void(P&, const QString&)> set);
  // Shows the row of `field` only while `when` holds.
  void showOnly(QWidget* field, std::function<bool(const P&)> when);

 private:
  void addRow(const QString& label, QWidget* field);
  void onChange(std::function<void(const P&)> refresh);

  ui::StudyDraft* draft_;
  QGridLayout* grid_;
};

// The sections of the checklist that are fields alone.
QWidget* makeRulesForm(ui::StudyDraft* draft);
QWidget* makeConsentForm(ui::StudyDraft* draft);
QWidget* makeStoppingForm(ui::StudyDraft* draft);
QWidget* makeAnalysisForm(ui::StudyDraft* draft);

}  // namespace quantspot::views
