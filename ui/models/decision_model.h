// The Decide page's state: what is asked, what is known, and the decision, whose ranked precisions are the rows.
#pragma once

#include "decision/decide.h"
#include "ui/client/engine_client.h"
#include "ui/models/decision_evidence.h"

#include <QAbstractTableModel>
#include <QTimer>

namespace quantspot::ui {

class DecisionModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Precision, Memory, Placement, Time, Clip, Seen, Rated, Verdict, ColumnCount };
  enum Role { IdRole = Qt::UserRole, PossibleRole, ChosenRole, ChecksRole };   // ChecksRole: all that was said of it, a line each

  explicit DecisionModel(EngineClient* engine, QObject* parent = nullptr);      // not owned

  // What the engine found on its machine, then the GPUs of the table. The first is chosen.
  void setEngineInfo(const nlohmann::json& engine);
  const std::vector<decision::Hardware>& hardware() const { return hardware_; }
  void setHardware(int index);
  int hardwareIndex() const { return hardware_index_; }

  // Asks the engine what each precision needs; changed() follows. Nothing is asked while the page is not looked at: see setActive().
  void setPrecisions(const std::vector<protocol::PrecisionInfo>& precisions);
  // folder: where the engine has it, for Python; empty: the path.
  void setModel(const QString& path, const QString& family, const QString& folder = {});
  void setRecipe(const protocol::Recipe& recipe);
  void setActive(bool active);

  void setConstraints(const decision::Constraints& constraints);
  const decision::Constraints& constraints() const { return constraints_; }

  DecisionEvidence* evidence() { return &evidence_; }
  // A report.json (or its folder), an analysis.json or a study's bundle. False, with problem(), for anything else.
  bool addEvidence(const QString& path);
  // Limits, hardware, files and studies are kept in this file from now on, and taken from it when it is there. A file that cannot be read is none.
  void keepIn(const QString& file);
  // Where runs of `compare` are looked for each time the page is shown.
  void setFolders(const QStringList& folders) { folders_ = folders; }

  // Looks for a mix of bf16 and this precision that fits the memory, by the error that each block causes alone; the mix is measured as a whole and
  // becomes one of the precisions. searched() follows.
  void searchMix(const QString& low);
  bool isSearching() const { return search_ != 0; }
  void cancelSearch();

  bool isBusy() const { return call_ != 0; }
  const QString& problem() const { return problem_; }   // why there is no decision, or no evidence from a file; empty: none
  const std::optional<decision::Decision>& decision() const { return decision_; }
  QString sentence() const;                         // the deciding one; while there is none, what is missing
  QString chosen() const;                           // precision, empty: none
  QString clipLabel() const { return QString::fromStdString(known_.clipLabel()); }   // what the Clip column shows
  QStringList changes() const;
  QStringList unknown() const;
  QStringList sources() const;                      // of the evidence that is used, a line each: what, of when, how much
  // What is known of a precision, a line per figure with its source, date and N.
  QStringList figures(const QString& precision) const;
  // The Python text for a precision; empty, with the reason in `why`, where no library says it. `folder`: that of the export, which a GGUF
  // precision is loaded from.
  QString pythonText(const QString& precision, const QString& folder, QString* why) const;

  qint64 exportBytes(const QString& precision) const;   // about what its files take: all weights; 0: not known
  bool engineIsHere() const;                        // paths that it writes are of this machine
  // Files to deploy a precision with, in a folder (of GGUF: with the .gguf file) that is not there yet, on the engine's machine. exported() follows.
  void exportTo(const QString& precision, const QString& out);
  bool isExporting() const { return export_ != 0; }
  void cancelExport();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 Q_SIGNALS:
  void changed();
  void hardwareChanged();                           // the list
  void shown();                                     // the page is looked at: now evidence is worth fetching
  void searchProgress(const QString& text);
  void searched(const QString& text, bool found);   // what was found, or why nothing was
  void exportProgress(const QString& text, int step, int steps);   // steps 0: not known yet
  void exported(const QString& text, bool done);    // what was written, or why nothing was

 private:
  void gather();
  void save() const;
  void takeFound(const std::string& low, const protocol::ScanResult& result);
  void ask();                                       // the engine, soon and once
  void request();
  void decide();
  decision::Question question() const;
  const protocol::PrecisionInfo* infoOf(const std::string& policy) const;   // of its base; null: not known
  QString text(const decision::Candidate& candidate, int column) const;

  EngineClient* engine_;
  QTimer soon_;
  qint64 call_ = 0, export_ = 0, search_ = 0;
  bool active_ = false, stale_ = true;
  std::vector<decision::Hardware> hardware_;
  int hardware_index_ = 0;
  std::string wanted_;                              // id of the hardware that was chosen last time
  std::vector<protocol::PrecisionInfo> precisions_;
  QString model_ = QStringLiteral("default"), family_, folder_ = model_;
  protocol::Recipe recipe_;
  decision::Constraints constraints_;
  DecisionEvidence evidence_;
  decision::Evidence known_;                        // what it gathers for the recipe at hand
  QStringList folders_;
  QString file_;                                    // of keepIn
  std::vector<decision::MemoryEstimate> estimates_;
  qint64 process_bytes_ = 0;
  std::optional<decision::Decision> decision_;
  QString problem_;
};

}  // namespace quantspot::ui
