#include "ui/models/evaluation_run.h"

#include "decision/evidence_files.h"
#include "engine/protocol/base64.h"
#include "evaluation/figures.h"
#include "evaluation/html_report.h"
#include "evaluation/noise_floor.h"
#include "evaluation/pdf_report.h"
#include "evaluation/tables.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QPointer>
#include <QThreadPool>

#include <algorithm>

namespace quantspot::ui {
namespace {

using evaluation::Cell;
using nlohmann::json;

constexpr int kReportEveryMs = 1000, kLookEveryMs = 2000;

std::filesystem::path pathOf(const QString& text) { return text.toStdString(); }

std::vector<std::string> stringsOf(const QStringList& list) {
  std::vector<std::string> all;
  for (const QString& one : list) all.push_back(one.toStdString());
  return all;
}

// After every call, as the engine sends them.
void addLatents(evaluation::Drawn& drawn, const std::vector<std::string>& calls) {
  for (const std::string& call : calls) {
    const auto bytes = protocol::fromBase64(call);
    drawn.latents.insert(drawn.latents.end(), bytes.begin(), bytes.end());
  }
  drawn.latentCalls = calls.size();
}

}  // namespace

EvaluationRun::EvaluationRun(EngineClient* engine, QObject* parent) : QObject(parent) {
  workers_.emplace_back().engine = engine;
  reportTimer_.setSingleShot(true), reportTimer_.setInterval(kReportEveryMs);
  connect(&reportTimer_, &QTimer::timeout, this, &EvaluationRun::makeReport);
  lookTimer_.setInterval(kLookEveryMs);
  connect(&lookTimer_, &QTimer::timeout, this, &EvaluationRun::lookAround);
}

EvaluationRun::~EvaluationRun() = default;

void EvaluationRun::setFurtherEngines(const std::vector<EngineCommand>& commands) {
  if (isBusy()) return;
  workers_.resize(1);
  owned_.clear();
  for (const EngineCommand& command : commands) {
    owned_.push_back(std::make_unique<EngineClient>(command));
    workers_.emplace_back().engine = owned_.back().get();
  }
}

void EvaluationRun::open(EvaluationRequest request) {
  if (isBusy()) return Q_EMIT failed(tr("An evaluation is running; pause it first."));
  request_ = std::move(request);
  context_ = std::make_unique<QObject>();
  scores_.reset(), work_.reset(), claims_.reset(), store_.reset(), plan_.reset();
  report_ = nullptr;
  for (Worker& worker : workers_) worker = {.engine = worker.engine};
  setState(State::Opening);
  const protocol::InspectParams inspect{.model = request_.model.toStdString(), .precision = "bf16", .hash = true};
  workers_[0].engine->call<protocol::InspectResult>(
      QStringLiteral("models/inspect"), inspect, context_.get(),
          [this](const protocol::InspectResult& result) { askForMetrics(result.weights_sha256); },
      [this](const RpcError& error) { refuse(error.message); });
}

void EvaluationRun::refuse(const QString& why) {
  scores_.reset(), work_.reset(), claims_.reset(), store_.reset(), plan_.reset();
  setState(State::Empty);
  Q_EMIT failed(why);
}

// Many real pictures take a while to read: aside.
void EvaluationRun::askForMetrics(const std::string& weights) {
  const auto read = [real = pathOf(request_.real), ratings = pathOf(request_.ratings)] {
    Files files{evaluation::realPictures(real), {}};
    if (!ratings.empty()) files.ratings = evaluation::ratingsOf(decision::readAnalysis(ratings));
    return files;
  };
  workers_[0].engine->call<protocol::OfferedResult>(
      QStringLiteral("metrics/offered"), protocol::OfferedParams{request_.model.toStdString()}, context_.get(),
      [this, weights, read](const protocol::OfferedResult& offered) {
        const Found found{weights, offered.metrics};
        QPointer<QObject> asked = context_.get();   // another evaluation may be opened meanwhile
        background_.run<Files>(read, [this, asked, found](Files files) { if (asked) planned(found, std::move(files)); },
                               [this, asked](const QString& why) { if (asked) refuse(why); });
      },
      [this](const RpcError& error) { refuse(error.message); });
}

void EvaluationRun::planned(const Found& found, Files files) {
  try {
    const json extras = {{"offload", "none"}, {"loras", json::array()}, {"calibration", json::array()}};
    plan_ = std::make_unique<evaluation::Plan>(
        evaluation::PlanRequest{found.weights, json(request_.recipe), extras, request_.prompts, request_.seeds, stringsOf(request_.precisions)});
    store_ = std::make_unique<evaluation::Store>(pathOf(request_.folder) / "store");
    claims_ = std::make_unique<evaluation::Claims>(pathOf(request_.folder) / "store" / "claims");
    run_ = "window " + QString::number(QDateTime::currentMSecsSinceEpoch()).toStdString();
    work_ = std::make_unique<evaluation::Work>(*plan_, *store_, *claims_, evaluation::WorkOptions{.run = run_, .withLatents = request_.growth});
    queueScores(evaluation::chooseMetrics(found.offered, stringsOf(request_.metrics), request_.recipe.width, request_.recipe.height),
                std::move(files.real));
    ratings_ = std::move(files.ratings);
    if (const auto saved = evaluation::readJson(pathOf(request_.folder) / "thresholds.json")) thresholds_ = evaluation::thresholdsOf(*saved);
    save();
    costs_ = evaluation::runCosts(*plan_, *store_, *work_, workers_.size());
    drawnSeconds_ = 0, drawnCells_ = 0;
    setState(allDrawn() && scores_->complete() ? State::Finished : State::Paused);
  } catch (const std::exception& error) {
    return refuse(QString::fromStdString(error.what()));
  }
  Q_EMIT opened();
  makeReport();
}

void EvaluationRun::queueScores(evaluation::MetricChoice metrics, evaluation::RealPictures real) {
  scores_ = std::make_unique<evaluation::ScoreQueue>(*plan_, *store_, std::move(metrics), request_.model.toStdString(), std::move(real));
  allAsked_ = false;
  scores_->addAll();
}

bool EvaluationRun::allDrawn() {
  if (!work_->complete()) return false;
  if (!std::exchange(allAsked_, true)) scores_->addAll(), scores_->addSets();
  return true;
}

void EvaluationRun::save() const {
  json prompts = json::array();
  for (const evaluation::Prompt& p : request_.prompts.prompts) prompts.push_back({p.text, p.category, p.challenge});
  evaluation::writeJson(pathOf(request_.folder) / "evaluation.json",
                        {{"model", request_.model.toStdString()}, {"recipe", request_.recipe}, {"prompt_set", request_.prompts.name},
                            {"prompts", prompts},
                         {"seeds", request_.seeds}, {"precisions", stringsOf(request_.precisions)}, {"metrics", stringsOf(request_.metrics)},
                         {"real", request_.real.toStdString()}, {"ratings", request_.ratings.toStdString()}, {"error_growth", request_.growth}});
}

std::optional<EvaluationRequest> EvaluationRun::lastIn(const QString& folder) try {
  const auto saved = evaluation::readJson(pathOf(folder) / "evaluation.json");
  if (!saved) return std::nullopt;
  EvaluationRequest request{QString::fromStdString(saved->at("model")), saved->at("recipe").get<protocol::Recipe>(), {saved->at("prompt_set"), {}},
                            saved->at("seeds").get<std::vector<std::uint64_t>>(), {}, folder};
  for (const json& p : saved->at("prompts")) request.prompts.prompts.push_back({p.at(0), p.at(1), p.at(2)});
  for (const json& precision : saved->at("precisions")) request.precisions << QString::fromStdString(precision);
  for (const json& metric : saved->value("metrics", json::array())) request.metrics << QString::fromStdString(metric);
  request.real = QString::fromStdString(saved->value("real", "")), request.ratings = QString::fromStdString(saved->value("ratings", ""));
  request.growth = saved->value("error_growth", std::size_t{0});
  return request;
} catch (const std::exception&) {
  return std::nullopt;                   // not ours, or damaged
}

void EvaluationRun::start() {
  if (!work_ || isBusy()) return;
  pilot_ = false;
  if (std::exchange(diskFailed_, false)) queueScores(scores_->metrics(), scores_->real());
  setState(State::Running);
  pump();
}

void EvaluationRun::startPilot() {
  if (!work_ || isBusy()) return;
  pilot_ = true;
  setState(State::Running);
  pump();
}

void EvaluationRun::pause() {
  if (state_ != State::Running) return;
  setState(State::Pausing);
  settle();
}

std::optional<Cell> EvaluationRun::nextCell() {
  if (state_ != State::Running) return std::nullopt;
  if (pilot_) {
    for (const std::string& unknown : costs_.unknown)
      for (std::size_t v = 0; v < plan_->request().precisions.size(); ++v)
        if (plan_->request().precisions[v] == unknown && work_->take(plan_->cell(0, 0, v))) return plan_->cell(0, 0, v);
    return std::nullopt;
  }
  if (const auto cells = work_->next(); !cells.empty()) return cells[0];
  const Cell again = plan_->repeat();
  if (isDrawing(again) || !work_->complete() || !evaluation::wantsRepeat(*plan_, *store_, run_)) return std::nullopt;
  return again;
}

bool EvaluationRun::isRepeat(const Cell& cell) const { return cell.key == plan_->repeat().key; }

void EvaluationRun::pump() {
  for (Worker& worker : workers_)
    if (worker.idle()) give(worker);
  settle();
}

void EvaluationRun::give(Worker& worker) {
  if (state_ != State::Running) return;
  try {
    allDrawn();
    if (auto job = scores_->next()) score(worker, std::move(*job));
    else if (const auto cell = nextCell()) draw(worker, *cell);
  } catch (const std::exception& error) {
    diskFailed(error);
  }
}

void EvaluationRun::diskFailed(const std::exception& error) {
  diskFailed_ = true;
  if (state_ != State::Running) return;      // it was said for the engine that came first
  setState(State::Pausing);
  Q_EMIT failed(tr("The evaluation is paused, what it has is kept: %1. Make room there, then go on.").arg(QString::fromUtf8(error.what())));
}

void EvaluationRun::draw(Worker& worker, const Cell& cell) {
  worker.cell = cell;
  worker.since.start();
  protocol::GenerateParams params{.model = request_.model.toStdString(), .precision = plan_->request().precisions[cell.precision],
                                  .recipe = plan_->recipeOf(cell).get<protocol::Recipe>()};
  if (work_->isWatched(cell)) params.observe.push_back("memory");
  if (work_->wantsLatents(cell)) params.observe.push_back("latents");
  Worker* const it = &worker;
  worker.engine->call<protocol::GenerateResult>(
      QStringLiteral("samples/generate"), params, context_.get(), [this, it](const protocol::GenerateResult& result) { drawn(*it, result); },
      [this, it](const RpcError& error) { cellFailed(*it, error.message); });
  tell(cell);
}

void EvaluationRun::drawn(Worker& worker, const protocol::GenerateResult& result) {
  const Cell cell = *worker.cell;
  try {
    evaluation::Drawn made{result.report, protocol::fromBase64(result.png), {}, 0};
    addLatents(made, result.latents);
    if (isRepeat(cell)) {
      store_->put(cell.key, made);
      scores_->addRepeat();
    } else {
      work_->done(cell, made);
      store_->place(cell.key, pathOf(request_.folder) / cell.image);
      scores_->add(cell.prompt, cell.seed);
    }
  } catch (const evaluation::WriteError& error) {
    work_->giveBack(cell);
    worker.cell.reset();
    diskFailed(error);
    tell(cell);
    return pump();
  } catch (const std::exception& error) {
    return cellFailed(worker, QString::fromStdString(error.what()));
  }
  worker.cell.reset();
  drawnSeconds_ += static_cast<double>(worker.since.elapsed()) / 1000;
  ++drawnCells_;
  tell(cell);
  pump();
}

void EvaluationRun::cellFailed(Worker& worker, const QString& why) {
  const Cell cell = *worker.cell;
  worker.cell.reset();
  try {
    if (isRepeat(cell)) store_->fail(cell.key, run_, why.toStdString());
    else work_->failed(cell, why.toStdString());
  } catch (const std::exception& error) {   // the disk does not even take the reason
    work_->giveBack(cell);
    diskFailed(error);
  }
  tell(cell);
  pump();
}

void EvaluationRun::score(Worker& worker, evaluation::ScoreJob job) {
  worker.job = std::move(job);
  Worker* const it = &worker;
  worker.engine->call<protocol::ScoreResult>(
      QStringLiteral("metrics/score"), worker.job->params, context_.get(), [this,
                                                                            it](const protocol::ScoreResult& result) { scored(*it, &result, {}); },
      [this, it](const RpcError& error) { scored(*it, nullptr, error.message); });   // a picture without a score is still a picture
}

void EvaluationRun::scored(Worker& worker, const protocol::ScoreResult* result, const QString& why) {
  const evaluation::ScoreJob job = *std::exchange(worker.job, std::nullopt);
  try {
    if (result) scores_->done(job, *result);
    else scores_->failed(job, why.toStdString());
  } catch (const std::exception& error) {
    diskFailed(error);
  }
  if (job.cell) tell(job.cell->cell);
  else Q_EMIT statusChanged(statusText());
  pump();
}

void EvaluationRun::settle() {
  if (!isBusy() || !std::ranges::all_of(workers_, &Worker::idle)) return;
  const bool complete = work_->complete();
  // Cells that another program draws are waited for.
  if (state_ == State::Running && !pilot_ && !complete) return;
  costs_ = evaluation::runCosts(*plan_, *store_, *work_, workers_.size());
  setState(complete && scores_->complete() && !diskFailed_ ? State::Finished : State::Paused);
  makeReport();
}

void EvaluationRun::lookAround() {
  if (!work_) return;
  const auto before = work_->state().finished;
  work_->complete();
  if (work_->state().finished != before) Q_EMIT cellChanged(-1, -1, -1);
  if (isBusy()) pump();
}

void EvaluationRun::setState(State state) {
  if (state_ == state) return;
  state_ = state;
  if (isBusy()) lookTimer_.start();
  else lookTimer_.stop();
  Q_EMIT stateChanged();
  Q_EMIT statusChanged(statusText());
}

void EvaluationRun::tell(const Cell& cell) {
  Q_EMIT cellChanged(static_cast<int>(cell.prompt), static_cast<int>(cell.seed), static_cast<int>(cell.precision));
  Q_EMIT statusChanged(statusText());
  if (!reportTimer_.isActive()) reportTimer_.start();
}

const evaluation::WorkState& EvaluationRun::counts() const {
  static const evaluation::WorkState none;
  return work_ ? work_->state() : none;
}

QString EvaluationRun::failureOf(const Cell& cell) const {
  if (!work_ || work_->stateOf(cell) != evaluation::Work::State::Failed) return {};
  return QString::fromStdString(store_->failure(cell.key, run_).value_or("it failed"));
}

bool EvaluationRun::isDrawing(const Cell& cell) const {
  return std::ranges::any_of(workers_, [&](const Worker& worker) { return worker.cell && worker.cell->key == cell.key; });
}

bool EvaluationRun::isFinished(const Cell& cell) const { return work_ && work_->stateOf(cell) == evaluation::Work::State::Finished; }
json EvaluationRun::scoresOf(const Cell& cell) const { return evaluation::scoresOf(*plan_, *store_, cell, scores_->metrics().cells); }
evaluation::MetricChoice EvaluationRun::metrics() const { return scores_ ? scores_->metrics() : evaluation::MetricChoice(); }

QString EvaluationRun::labelOf(const evaluation::FigureInfo& figure) const {
  return QString::fromStdString(evaluation::labelOf(evaluation::labelsOf(metrics()), figure.id));
}

QString EvaluationRun::costsText() const { return work_ ? QString::fromStdString(evaluation::costsText(costs_, workers_.size())) : QString(); }

QString EvaluationRun::statusText() const {
  if (state_ == State::Empty) return {};
  if (state_ == State::Opening) return tr("Looking at what is there");
  const evaluation::WorkState& counts = this->counts();
  QString text = tr("%1 of %2 pictures").arg(counts.finished).arg(counts.cells);
  if (counts.failed > 0) text += tr(" · %1 failed").arg(counts.failed);
  if (state_ == State::Pausing) return text + tr(" · pausing after the picture at hand");
  if (state_ == State::Running && counts.finished + counts.failed == counts.cells) return text + tr(" · measuring, %1 left").arg(scores_->left());
  if (state_ == State::Running && drawnCells_ > 0) {
    const double each = drawnSeconds_ / static_cast<double>(drawnCells_) / static_cast<double>(workers_.size());
    const double left = each * static_cast<double>(counts.cells - counts.finished - counts.failed);
    return text + tr(" · about %1 left").arg(QString::fromStdString(evaluation::secondsText(std::max(1.0, left))));
  }
  return text;
}

void EvaluationRun::setThresholds(std::vector<evaluation::Threshold> thresholds) {
  if (thresholds == thresholds_) return;
  thresholds_ = std::move(thresholds);
  try {
    if (plan_) evaluation::writeJson(pathOf(request_.folder) / "thresholds.json", evaluation::thresholdsJson(thresholds_));
  } catch (const std::exception& error) {
    Q_EMIT failed(QString::fromStdString(error.what()));
  }
  makeReport();
}

evaluation::ReportOptions EvaluationRun::reportOptions() const {
  const bool own = request_.ratings.isEmpty();
  return {.model = request_.model.toStdString(), .run = run_, .metrics = scores_->metrics(), .thresholds = thresholds_, .real = scores_->real(),
          .ratings = own ? ownRatings_ : ratings_, .ratingsFrom = own && !ownRatings_.empty() ? ownRatingsFrom_ : std::string()};
}

void EvaluationRun::setOwnRatings(evaluation::SetFigures ratings, const QString& from) {
  const auto told = [](const evaluation::SetFigures& sets) {
    json all = json::object();
    for (const auto& [precision, figures] : sets)
      for (const auto& [id, estimate] : figures) all[precision][id] = evaluation::estimateJson(estimate);
    return all;
  };
  const bool same = told(ratings) == told(ownRatings_);
  ownRatings_ = std::move(ratings), ownRatingsFrom_ = from.toStdString();
  if (!same) makeReport();
}

// The intervals of a large evaluation take seconds: aside, on copies. Of one that is finished it is kept, where the Decide page and others find it.
void EvaluationRun::makeReport() {
  if (!plan_) return;
  if (reporting_) {
    stale_ = true;
    return;
  }
  reporting_ = true;
  const auto kept = state_ == State::Finished ? pathOf(request_.folder) / "report.json" : std::filesystem::path();
  QThreadPool::globalInstance()->start([self = QPointer(this), plan = *plan_, store = *store_, options = reportOptions(), kept] {
    json report;
    QString problem;                       // a pool's thread lets no exception out
    try {
      report = evaluation::makeReport(plan, store, options);
      if (!kept.empty()) evaluation::writeJson(kept, report);
    } catch (const std::exception& error) {
      problem = tr("The report cannot be made: %1").arg(QString::fromUtf8(error.what()));
    }
    QMetaObject::invokeMethod(QCoreApplication::instance(), [self, key = plan.key(), report = std::move(report), problem] {
      if (self) self->takeReport(key, report, problem);
    });
  });
}

void EvaluationRun::takeReport(const std::string& plan, const json& report, const QString& problem) {
  reporting_ = false;
  const bool ours = plan_ && plan_->key() == plan;
  if (ours && problem.isEmpty()) report_ = report;
  if (std::exchange(stale_, false)) makeReport();
  if (ours && !problem.isEmpty()) return Q_EMIT failed(problem);
  Q_EMIT reportChanged();
}

void EvaluationRun::writeHtml(const QString& path) const {
  if (!plan_) throw std::runtime_error("there is no evaluation to write");
  const json report = evaluation::makeReport(*plan_, *store_, reportOptions());
  evaluation::writeJson(pathOf(request_.folder) / "report.json", report);
  evaluation::writeWhole(pathOf(path), evaluation::htmlReport(report, pathOf(request_.folder)));
}

void EvaluationRun::writePdf(const QString& path) const {
  if (!plan_) throw std::runtime_error("there is no evaluation to write");
  evaluation::writePdf(evaluation::makeReport(*plan_, *store_, reportOptions()), pathOf(request_.folder), pathOf(path));
}

void EvaluationRun::writeTables(const QString& folder) const {
  if (!plan_) throw std::runtime_error("there is no evaluation to write");
  evaluation::writeTables(evaluation::makeReport(*plan_, *store_, reportOptions()), pathOf(folder));
}

}  // namespace quantspot::ui
