// Drafts and studies with their state, drafts first, then the newest.
#pragma once

#include "ui/models/ledger_thread.h"

#include <QAbstractListModel>

namespace quantspot::ui {

enum class StudyState { Draft, Frozen, Running, Closed, Analysed };   // Analysed: closed, and its figures were seen here

struct StudyEntry {
  StudyState state = StudyState::Draft;
  QString title, hash, file;           // hash: of a frozen one; file: of a draft
  int people = 0, planned = 0;
  QString model = {};                  // that the pictures were made with; empty: not stated
};

class StudyListModel : public QAbstractListModel {
  Q_OBJECT
 public:
  enum Role { StateRole = Qt::UserRole, HashRole, FileRole, DetailRole };   // int; QString; QString; "running · 3 people · FLUX.1-dev"

  // store: as Ledger's. drafts: the folder of their files.
  StudyListModel(QString store, QString drafts, QObject* parent = nullptr);

  // Reads the drafts again, and begins to read the store: reloaded() when its studies are there (before reload() returns, or later), failed() when it
  // cannot be read (drafts and what was read before are then listed all the same).
  void reload();
  const StudyEntry& at(int row) const { return entries_[static_cast<std::size_t>(row)]; }
  int rowOf(const QString& hash_or_file) const;   // -1 when it is not there
  QString store() const { return ledger_->store(); }
  void setStore(const QString& store);            // shown with the next reload()
  void markAnalysed(const QString& hash);         // remembered beside the drafts
  QString newDraftFile() const;                   // a name that no draft has

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

 Q_SIGNALS:
  void reloaded();
  void failed(const QString& message);

 private:
  StudyState stateOf(const study::StudyHead& head) const;
  QString analysedFile(const QString& hash) const;

  void setEntries();

  QString drafts_;
  std::vector<study::StudyHead> heads_;           // as of the last reading, newest first
  std::vector<StudyEntry> entries_;
  std::unique_ptr<LedgerThread> ledger_;
};

}  // namespace quantspot::ui
