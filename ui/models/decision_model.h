// The Decide page's state: what is asked, what is known, and the decision, whose ranked precisions are the rows.
#pragma once

#include "decision/decide.h"
#include "ui/client/engine_client.h"
#include "ui/models/comparison.h"

#include <QAbstractTableModel>
#include <QTimer>

namespace quantspot::ui {

class DecisionModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Precision, Memory, Placement, Time, Clip, Seen, Verdict, ColumnCount };
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

  void setMaxMemory(qint64 bytes);                  // 0: what the hardware has
  void setMaxSeconds(double seconds);               // 0: any
  void setMaxVisible(std::optional<double> share);
  void setOffload(bool allowed);
  const decision::Constraints& constraints() const { return constraints_; }

  // A report.json (or its folder), an analysis.json or a study's bundle. False, with problem(), for anything else.
  bool addEvidence(const QString& path);
  // Pictures that were drawn here: their times and scores are evidence about this model.
  void learn(const ComparisonResult& comparison);

  bool isBusy() const { return call_ != 0; }
  const QString& problem() const { return problem_; }   // why there is no decision, or no evidence from a file; empty: none
  const std::optional<decision::Decision>& decision() const { return decision_; }
  QString sentence() const;                         // the deciding one; while there is none, what is missing
  QString chosen() const;                           // precision, empty: none
  QStringList changes() const;
  QStringList unknown() const;
  QStringList sources() const;                      // of the evidence, a line each
  // The Python text for a precision; empty, with the reason in `why`, where no library says it.
  QString pythonText(const QString& precision, QString* why) const;

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
  void exportProgress(const QString& text);
  void exported(const QString& text, bool done);    // what was written, or why nothing was

 private:
  void ask();                                       // the engine, soon and once
  void request();
  void decide();
  decision::Question question() const;
  const protocol::PrecisionInfo* infoOf(const std::string& policy) const;   // of its base; null: not known
  QString text(const decision::Candidate& candidate, int column) const;

  EngineClient* engine_;
  QTimer soon_;
  qint64 call_ = 0, export_ = 0;
  bool active_ = false, stale_ = true;
  std::vector<decision::Hardware> hardware_;
  int hardware_index_ = 0;
  std::vector<protocol::PrecisionInfo> precisions_;
  QString model_ = QStringLiteral("default"), family_, folder_ = model_;
  protocol::Recipe recipe_;
  decision::Constraints constraints_;
  decision::Evidence evidence_;
  nlohmann::json drawn_;                            // what learn() was told of, as a report of a comparison
  std::vector<decision::MemoryEstimate> estimates_;
  qint64 process_bytes_ = 0;
  std::optional<decision::Decision> decision_;
  QString problem_;
};

}  // namespace quantspot::ui
