// A study that is being planned. Lies in a file of its own and is saved with every change; frozen, it becomes a study of the store.
#pragma once

#include "study/freeze.h"
#include "ui/models/study_sources.h"

#include <QObject>

#include <functional>

namespace quantspot::ui {

// The checklist of a draft, in the order on screen.
enum class DraftSection { Comparisons, Trials, Rules, Participant, Stopping, Analysis, Count };

// What the power panel is asked: the share of right answers that should not be missed, and how surely.
struct SoughtEffect {
  double rate = 0.45, power = 0.8;    // of four pictures: a quarter is right by guessing
};

// What freezing takes of a draft; may go to another thread.
struct FreezeInput {
  study::Protocol protocol;
  QMap<QString, StudySource> sources;
  QString file;                       // of the draft
};
// Reads and checks every picture, and prepares the study. step: told before each comparison and after the last; may throw, to give up. Throws
// study::Error.
study::PreparedStudy prepareDraft(study::StudyStore& store, const FreezeInput& input, const std::function<void(int done, int of)>& step = {});

class StudyDraft : public QObject {
  Q_OBJECT
 public:
  enum class Gate { Heed, Overrule };                      // what looks broken is refused, or taken all the same

  // Reads the file, or begins a new draft when there is none. A damaged file is left as it is and said by problemOfFile(); nothing is then
  // saved. store is not owned.
  StudyDraft(const QString& file, study::StudyStore* store, QObject* parent = nullptr);

  QString file() const { return file_; }
  QString problemOfFile() const { return file_problem_; }
  const study::Protocol& protocol() const { return protocol_; }
  const SoughtEffect& effect() const { return effect_; }
  void edit(const std::function<void(study::Protocol&)>& change);
  void setEffect(const SoughtEffect& effect);

  // Adds a comparison under `id`. Empty, or why it cannot be taken: pictures that must not be compared, the picture of a comparison that is there
  // already, a variant that it lacks, or a picture that looks broken. The first one sets the variants.
  QString add(const QString& id, const StudySource& source, Gate gate = Gate::Heed);
  QString addFromHistory(qint64 comparison);
  QStringList addFromFolder(const QString& folder);       // reasons of those that were refused, one line each
  // Those that were refused since takeDoubted() for no other reason than that a picture looks broken; takes them all the same, and the study says so.
  QStringList doubted() const { return doubted_.keys(); }
  void takeDoubted();
  void remove(const QString& id);
  // Of the history. A folder may be called as one of the history's comparisons is ("c3").
  bool contains(qint64 comparison) const { return sources_.value(idOf(comparison)).comparison == comparison; }
  bool isFromFolder(const QString& id) const { return !sources_.value(id).folder.isEmpty(); }
  static QString idOf(qint64 comparison) { return QStringLiteral("c%1").arg(comparison); }
  QStringList offered() const { return offered_; }         // variants that every comparison has
  void setVariant(const QString& variant, bool taken);
  // Pictures of one comparison for the preview, by variant; empty when it cannot be read.
  QMap<QString, QByteArray> pictures(const QString& id) const;

  // What stands against freezing: the section and a line. Nothing: it can be frozen.
  std::optional<std::pair<DraftSection, QString>> problem() const;
  const QString& saveProblem() const { return save_problem_; }   // why the last change is not on disk, with the file; empty: it is
  FreezeInput freezeInput() const { return {complete(), sources_, file_}; }
  // On the spot; see StudyFreezer for what takes no window's time. Throws study::Error. The draft stays; discard() it when the study is in the store.
  study::FrozenStudy freeze(const QString& passphrase, study::SealCost cost = study::SealCost::Moderate) const;
  void discard();                                          // removes the file

 Q_SIGNALS:
  void changed();
  void failed(const QString& message);                     // it could not be saved

 private:
  void read();
  void save();
  void findOffered();
  study::Protocol complete() const;

  const QString file_;
  study::StudyStore* store_;
  study::Protocol protocol_;
  SoughtEffect effect_;
  QMap<QString, StudySource> sources_;
  QMap<QString, QStringList> has_;                         // comparison → its variants
  QMap<QString, StudySource> doubted_;
  QMap<QString, QString> shown_;                           // comparison → hash of its reference's pixels
  QStringList offered_;
  QString file_problem_, save_problem_;
  bool discarded_ = false;
};

}  // namespace quantspot::ui
