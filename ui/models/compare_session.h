// Everything behind the Compare page, wired: engine → runner → store → trial → reveal. Views connect to its parts and
// never see the process or the database.
#pragma once

#include "ui/models/comparison_runner.h"
#include "ui/models/decision_model.h"
#include "ui/models/history_model.h"
#include "ui/models/policy_draft.h"
#include "ui/models/opened_models.h"
#include "ui/models/policy_library.h"
#include "ui/models/precision_list_model.h"
#include "ui/models/run_estimate.h"
#include "ui/models/score_summary.h"
#include "ui/models/sensitivity_scan.h"
#include "ui/models/trial_controller.h"

namespace quantspot::ui {

class CompareSession : public QObject {
  Q_OBJECT
 public:
  // Neither is owned; the store may be closed (guesses are then refused with failed()).
  CompareSession(EngineClient* engine, study::StudyStore* store, QObject* parent = nullptr);

  PrecisionListModel* precisions() { return &precisions_; }
  TrialController* trial() { return &trial_; }
  HistoryModel* history() { return &history_; }
  study::StudyStore* store() { return store_; }
  ScoreSummary* score() { return &score_; }
  PolicyLibrary* policies() { return &policies_; }
  // The policy in the editor. Asks the engine for the model's layers from the first call on, so not before they are looked at.
  PolicyDraft* draft();
  const std::vector<protocol::ModelEntry>& models() const { return models_; }
  nlohmann::json engineInfo() const { return engine_info_; }

  DecisionModel* decision() { return &decision_; }   // of the model at hand; it learns from what was revealed
  // Of the layers of the model at hand; for the policy editor.
  SensitivityScan* scan() { return &scan_; }
  // What the model at hand takes; nothing while unknown.
  const std::optional<protocol::ModelTraits>& traits() const { return traits_; }
  EngineCommand engineCommand() const { return engine_->command(); }
  EngineClient* engine() { return engine_; }      // for pages that ask it themselves
  void refreshModels();                           // asks for the list again; modelsChanged()
  // "about 40 s" for a scan of so many groups and prompts, after what the model's runs took; empty before anything was measured.
  QString scanEstimate(qint64 groups, qint64 prompts, const protocol::Recipe& recipe) const;

  void connectEngine();                           // starts it; modelsChanged() and precisions follow
  // "default" is the embedded one. Asks for the bytes of every precision, unless that would mean to read a large model.
  void setModel(const QString& path);
  // A folder or file that the engine did not find by itself: listed from now on, also at the next start, and chosen; failed() with one line
  // when it is no model.
  void openModel(const QString& path);
  void removePolicy(int row);                     // of precisions(); a named one is removed from the library, too
  QString model() const { return model_; }
  QString family() const;                         // "flux"; empty while unknown
  QString modelFolder() const;                    // where the engine has the model; empty while unknown
  // Whether the model at hand takes a guidance (of FLUX, only those that embed it); nothing while unknown (large models are not looked into).
  std::optional<bool> embedsGuidance() const { return embeds_guidance_; }
  // "about 4.1 s, peak 0.4 GiB" for the ticked precisions; empty before anything was measured.
  QString estimateText(study::Task task, const protocol::Recipe& recipe) const;

  // Generates the ticked precisions (NameEach, Rate), or bf16 repeated and one ticked quantized precision, drawn by chance
  // (SpotOne, tiles pictures in all), then opens a trial.
  void generate(study::Task task, const protocol::Recipe& recipe, int tiles = 4, RunOptions options = {});
  void cancel();
  bool isBusy() const;                            // generating (scoring in the background does not count)
  QString statusText() const { return runner_.statusText(); }
  double fraction() const { return runner_.fraction(); }

  // Asks again about the pictures at hand, in a new order. Not counted once their names have been seen.
  bool askAgain(study::Task task);

  // The comparison behind the screen. Null while it is blind (before its reveal).
  const ComparisonResult* comparison() const;
  bool openPast(qint64 id);                       // shows a comparison of the history with its names; one that is imported and not yet judged: blind
  // Pictures made elsewhere, see PictureImport; how many comparisons came, and failed() when none did.
  int importPictures(const QString& path);
  // All answers as a table, see study/answers_table.h. False with failed() when the file cannot be written.
  bool exportAnswers(const QString& path);
  std::vector<study::AnsweredTrial> pastTrials() const;   // answers to comparison(), oldest first
  std::vector<study::ConfusionCell> confusion() const;    // over all counted answers
  // Every picture of the history with the recipe and the model of this comparison, newest first; of each precision the newest. Nothing that is
  // still to be judged. Empty when there is no such comparison.
  struct Shared {
    SampleResult result;
    qint64 comparison = 0;
    QDateTime created;
  };
  std::vector<Shared> sharing(qint64 comparison) const;
  // Model and ticked precisions as they were then, for another run with a change. False for imported pictures, and while generating.
  bool takeUp(const ComparisonResult& past);

 Q_SIGNALS:
  void modelsChanged();
  void modelInspected();                          // embedsGuidance() and sizes
  void traitsChanged();
  void statusChanged(const QString& text);
  void busyChanged();
  void trialOpened();                             // pictures are ready in trial()->slotModel()
  void revealed();                                // comparison() and trial()->samples() can be shown
  void scoresChanged();                           // figures arrived after the reveal
  void pastOpened();                              // comparison() is on screen with its names: from the history, or because
                                                  // too few variants gave a picture to ask a question
  void variantFailed(const QString& precision, const QString& reason);
  void cancelled();
  void notice(const QString& message);            // worth knowing, and the same for every tile: the prompt was cut
  void failed(const QString& message);
  void engineLost(const QString& reason);
  void engineLog(const QString& line);

 private:
  const protocol::ModelEntry* modelEntry() const;
  void onInitialized(const protocol::InitializeResult& result);
  void requestInspect();
  void requestTraits();
  void inspectNext();
  void tellDecision();
  void tellRatings();
  void listPolicies();
  void onImagesReady();
  bool openBlind(const study::Comparison& imported);
  void onScored();

  EngineClient* engine_;
  study::StudyStore* store_;
  PrecisionListModel precisions_;
  ComparisonRunner runner_;
  TrialController trial_;
  HistoryModel history_;
  ScoreSummary score_;
  PolicyLibrary policies_;
  OpenedModels opened_;
  PolicyDraft draft_;
  SensitivityScan scan_;
  DecisionModel decision_;
  std::optional<protocol::ModelTraits> traits_;
  bool drafting_ = false;
  QStringList layers_;                            // of the model at hand, for policies that speak of its last block
  RunEstimate estimate_;
  std::optional<bool> embeds_guidance_;
  std::vector<protocol::ModelEntry> models_;
  nlohmann::json engine_info_;
  QString model_ = QStringLiteral("default");
  QStringList inspect_queue_;
  std::unique_ptr<QObject> inspect_context_;      // of the calls for the model at hand
  study::Task task_ = study::Task::NameEach;
  ComparisonResult comparison_;                   // on screen
  std::vector<qint64> scored_ids_;                // of the samples that the runner measures
  bool names_seen_ = false;                       // of comparison_
  QString uncounted_;                             // why an answer about comparison_ stays out of tallies before its names were seen here
};

}  // namespace quantspot::ui
