// A running study as its experimenter may see it: how far it is and what went wrong, but no scores.
#pragma once

#include "study/progress.h"
#include "ui/models/ledger_thread.h"

#include <QAbstractTableModel>

namespace quantspot::ui {

// A row per participant who was not erased: random id, trials answered, whether all are.
class ParticipantsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Id, Answered, State, ColumnCount };
  using QAbstractTableModel::QAbstractTableModel;

  void setProgress(const study::Progress& progress);
  QString participant(int row) const { return rows_.at(row).first; }
  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : static_cast<int>(rows_.size()); }
  int columnCount(const QModelIndex& = {}) const override { return ColumnCount; }
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<std::pair<QString, int>> rows_;
  int planned_ = 0;
};

// Everything but title and state waits for the passphrase. The store is read and written off this thread: what takes no longer than patience_ms is done
// when a call returns, the rest comes with its signal. What goes wrong is one line in failed(), and nothing is then changed.
class StudyProgressModel : public QObject {
  Q_OBJECT
 public:
  StudyProgressModel(QString store, QString hash, int patience_ms = 100, QObject* parent = nullptr);
  ~StudyProgressModel() override;

  void read();                                 // title, protocol and state; known() or warning(). Begun by the constructor; does nothing once known
  bool isKnown() const { return known_; }
  void unlock(const QString& passphrase);      // unlocked() or failed(); a wrong one costs only the time of its key
  void lock();                                 // forgets the mapping
  bool isUnlocked() const { return mapping_.has_value(); }
  bool isBusy() const { return busy_; }
  void refresh();                              // reads again what others may have added; cheap while nothing changed

  // All of these need the mapping to be open.
  void close();                                // closed()
  void erase(const QString& participant);
  void exportParticipant(const QString& participant, const QString& path);   // all that is kept of them; written()
  void exportBundle(const QString& path);      // with the mapping once the study is closed, sealed before; exported()

  QString store() const { return ledger_.store(); }
  QString hash() const { return hash_; }
  QString title() const { return protocol_.title; }
  const study::Protocol& protocol() const { return protocol_; }
  const study::Progress& progress() const { return progress_; }
  QString head() const { return QString::fromLatin1(head_); }
  bool isClosed() const { return !progress_.closed.isEmpty(); }
  bool isSequential() const { return protocol_.stopping.rule != study::StoppingRule::Fixed; }
  QString warning() const { return warning_; } // such as a clock that was set back
  const study::Mapping& mapping() const { return *mapping_; }
  ParticipantsModel* participants() { return &participants_; }

 Q_SIGNALS:
  void known();                                // title and state were read
  void warned();                               // warning() has changed
  void unlocked();
  void changed();
  void closed();
  void busyChanged(bool busy);
  void written(const QString& path);
  void exported(const QString& path, const QString& head);
  void failed(const QString& message);

 private:
  struct Seen {
    QByteArray head;
    study::Progress progress;
  };
  static Seen see(study::Ledger& ledger, const QString& hash, const study::Protocol& protocol, const study::Mapping& mapping);
  void show(const Seen& seen);
  void look(std::function<void()> then);
  void perform(std::function<void(study::Ledger&)> body, std::function<void()> then, bool busy = true);
  void setBusy(bool busy);
  void warn(const QString& warning);

  QString hash_, warning_;
  study::Protocol protocol_;
  study::Progress progress_;
  std::optional<study::Mapping> mapping_;
  QByteArray head_;
  bool busy_ = false, known_ = false, reading_ = false;
  ParticipantsModel participants_;
  LedgerThread ledger_;                        // last: what it still does reads the members above
};

}  // namespace quantspot::ui
