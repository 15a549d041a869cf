// A frozen study as its experimenter meets it: what was frozen, the way to the participant's screen, and how far it is.
#pragma once

#include "ui/models/ledger_thread.h"

#include <QWidget>

class QLabel;
class QPushButton;

namespace quantspot::views {

class FrozenStudyView : public QWidget {
  Q_OBJECT
 public:
  FrozenStudyView(const QString& store, const QString& hash, QWidget* parent = nullptr);

  QPushButton* participant() { return participant_; }
  QString said() const;
  void refresh() { load(); }   // reads again what others may have changed

 Q_SIGNALS:
  void participantWanted(const QString& hash);

 private:
  void load();
  void fill(const study::Protocol& protocol, int people, bool closed);

  const QString study_;
  QLabel *title_, *summary_, *attested_, *hash_;
  QPushButton* participant_;
  ui::LedgerThread ledger_;
};

}  // namespace quantspot::views
