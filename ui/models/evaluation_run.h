// An evaluation in the window: hands cells to engines, keeps what they draw, scores it, and tells the report. What it keeps is what
// quantspot-cli compare keeps: either may go on with the other's work.
#pragma once

#include "evaluation/report.h"
#include "evaluation/run_costs.h"
#include "evaluation/score_queue.h"
#include "evaluation/work.h"
#include "ui/client/engine_client.h"
#include "ui/models/background.h"

#include <QElapsedTimer>
#include <QTimer>

#include <memory>
#include <optional>

namespace quantspot::evaluation {
struct FigureInfo;
}

namespace quantspot::ui {

struct EvaluationRequest {
  QString model = QStringLiteral("default");
  protocol::Recipe recipe;                   // its prompt and seed are not read
  evaluation::PromptSet prompts;
  std::vector<std::uint64_t> seeds;
  QStringList precisions;                    // the first is the baseline
  QString folder;                            // pictures, tables and what is needed to go on
  QStringList metrics = {};                  // ids; empty: what needs no download
  QString real = {}, ratings = {};           // pictures or statistics that sets are compared with; a study's bundle, analysis.json or folder
  std::size_t growth = 0;                    // comparisons whose latents are kept after every step
};

class EvaluationRun : public QObject {
  Q_OBJECT
 public:
  enum class State { Empty, Opening, Paused, Running, Pausing, Finished };
  Q_ENUM(State)

  explicit EvaluationRun(EngineClient* engine, QObject* parent = nullptr);   // not owned
  ~EvaluationRun() override;

  // Engines that share the work beside the first. Not while it runs.
  void setFurtherEngines(const std::vector<EngineCommand>& commands);
  std::size_t engines() const { return workers_.size(); }

  // Looks at what the folder holds already: then opened() or failed(). Nothing is drawn.
  void open(EvaluationRequest request);
  // What was opened in this folder last; nothing when there is none.
  static std::optional<EvaluationRequest> lastIn(const QString& folder);

  void start();                              // draws until all is there, or pause()
  void startPilot();                         // one cell of each precision that was never drawn, then Paused: to know the time
  void pause();                              // after the pictures at hand
  State state() const { return state_; }
  bool isBusy() const { return state_ == State::Running || state_ == State::Pausing; }

  // Of the evaluation that is open; null before.
  const evaluation::Plan* plan() const { return plan_.get(); }
  const evaluation::Store* store() const { return store_.get(); }
  const EvaluationRequest& request() const { return request_; }
  const evaluation::WorkState& counts() const;
  QString failureOf(const evaluation::Cell& cell) const;             // empty: it did not fail
  bool isDrawing(const evaluation::Cell& cell) const;
  bool isFinished(const evaluation::Cell& cell) const;
  nlohmann::json scoresOf(const evaluation::Cell& cell) const;
  evaluation::MetricChoice metrics() const;  // of the evaluation that is open
  QString labelOf(const evaluation::FigureInfo& figure) const;
  QString costsText() const;                 // "48 of 320 pictures are there; …"
  QString statusText() const;                // "49 of 320 · about 4 min left"

  void setThresholds(std::vector<evaluation::Threshold> thresholds);   // saved in the folder; the report is made anew
  const std::vector<evaluation::Threshold>& thresholds() const { return thresholds_; }
  // Ratings that this program holds of the model: they stand in where the request names none. from: what they are, beside their figure.
  void setOwnRatings(evaluation::SetFigures ratings, const QString& from);
  // As report.json; null before the first one is made, and again after open(). Made aside, at most once a second; of a finished evaluation
  // it is in the folder, too.
  const nlohmann::json& report() const { return report_; }

  // report.json, report.html and tables, report.pdf. Throw std::runtime_error.
  void writeHtml(const QString& path) const;
  void writePdf(const QString& path) const;
  void writeTables(const QString& folder) const;

 Q_SIGNALS:
  void opened();
  void stateChanged();
  void cellChanged(int prompt, int seed, int precision);
  void statusChanged(const QString& text);
  void reportChanged();
  void failed(const QString& message);

 private:
  struct Worker {
    EngineClient* engine = nullptr;
    std::optional<evaluation::Cell> cell = {};   // that is being drawn
    std::optional<evaluation::ScoreJob> job = {};
    QElapsedTimer since = {};
    bool idle() const { return !cell && !job; }
  };

  struct Found { std::string weights; std::vector<evaluation::Metric> offered; };   // by the engine
  struct Files { evaluation::RealPictures real; evaluation::SetFigures ratings; };  // that the request names
  void refuse(const QString& why);
  void askForMetrics(const std::string& weights);
  void planned(const Found& found, Files files);
  void save() const;
  void pump();
  void give(Worker& worker);
  void draw(Worker& worker, const evaluation::Cell& cell);
  void drawn(Worker& worker, const protocol::GenerateResult& result);
  void cellFailed(Worker& worker, const QString& why);
  void diskFailed(const std::exception& error);          // nothing is lost: pauses, and says what to do
  void queueScores(evaluation::MetricChoice metrics, evaluation::RealPictures real);
  void score(Worker& worker, evaluation::ScoreJob job);
  void scored(Worker& worker, const protocol::ScoreResult* result, const QString& why);
  bool allDrawn();                           // then also what others drew is scored, and sets are compared
  std::optional<evaluation::Cell> nextCell();
  bool isRepeat(const evaluation::Cell& cell) const;     // plan()->repeat(), which is drawn when all others are
  void settle();                             // all engines are idle: paused or finished
  void setState(State state);
  void lookAround();                         // at what other programs drew
  void makeReport();
  void takeReport(const std::string& plan, const nlohmann::json& report, const QString& problem);   // of the plan with this key
  evaluation::ReportOptions reportOptions() const;
  void tell(const evaluation::Cell& cell);

  std::vector<std::unique_ptr<EngineClient>> owned_;
  std::vector<Worker> workers_;
  State state_ = State::Empty;
  bool pilot_ = false;
  EvaluationRequest request_;
  std::unique_ptr<evaluation::Plan> plan_;
  std::unique_ptr<evaluation::Store> store_;
  std::unique_ptr<evaluation::Claims> claims_;
  std::unique_ptr<evaluation::Work> work_;
  std::unique_ptr<evaluation::ScoreQueue> scores_;
  std::unique_ptr<QObject> context_;         // of the calls for the evaluation at hand
  std::string run_;
  bool allAsked_ = false;                    // everything is in scores_
  bool diskFailed_ = false;                  // scores may have been taken and not kept
  evaluation::SetFigures ratings_, ownRatings_;
  std::string ownRatingsFrom_;
  std::vector<evaluation::Threshold> thresholds_ = evaluation::defaultThresholds();
  evaluation::RunCosts costs_;
  double drawnSeconds_ = 0;
  std::size_t drawnCells_ = 0;
  nlohmann::json report_;
  bool reporting_ = false, stale_ = false;
  QTimer reportTimer_, lookTimer_;
  Background background_{this};
};

}  // namespace quantspot::ui
