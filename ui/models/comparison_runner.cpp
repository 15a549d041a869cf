#include "ui/models/comparison_runner.h"

#include "ui/models/auto_choice.h"
#include "ui/models/picture_gate.h"

#include <QRandomGenerator>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace quantspot::ui {
namespace {

// Shares of one sample's time before and during denoising, for the bar only.
constexpr double kBefore = 0.1, kDenoise = 0.85;
const QString kWhereItIs = QStringLiteral("lpips");      // a metric whose weights may not be there: then it is left out without a word

double shareOf(const protocol::Progress& progress) {
  if (progress.stage == "decode") return kBefore + kDenoise;
  if (progress.stage != "denoise") return 0;
  return kBefore + kDenoise * (progress.steps > 0 ? std::clamp(static_cast<double>(progress.step) / progress.steps, 0.0, 1.0) : 0.0);
}

// load and quantize look alike on a blind screen.
QString stageText(const protocol::Progress& progress) {
  if (progress.stage == "denoise") return ComparisonRunner::tr("step %1/%2").arg(progress.step).arg(progress.steps);
  return progress.stage == "decode" ? ComparisonRunner::tr("decoding") : ComparisonRunner::tr("preparing");
}

// Of pictures made elsewhere there may be none, or a file's name in its place.
bool hasPrompt(const study::Sample& sample, const std::string& prompt) {
  return !sample.report["imported"].toBool() || (!prompt.empty() && sample.report["prompt_told"].toBool(true));
}

}  // namespace

ComparisonRunner::ComparisonRunner(EngineClient* engine, QObject* parent) : QObject(parent), engine_(engine) {
  connect(engine, &EngineClient::progress, this, &ComparisonRunner::onProgress);
}

void ComparisonRunner::start(ComparisonRequest request) {
  if (state_ == State::Generating) return Q_EMIT failed(tr("A comparison is being generated; cancel it first."));
  cancel();
  request_ = std::move(request);
  result_ = {.id = 0, .created = QDateTime::currentDateTimeUtc(), .model = request_.model, .recipe = request_.recipe, .samples = {}};
  result_.startPicture = request_.options.image;
  for (const VariantRequest& variant : request_.variants)
    for (int repeat = 0; repeat < variant.repeats; ++repeat) {
      SampleResult& one = result_.samples.emplace_back();
      one.sample.precision = variant.precision;
      one.sample.repeat = repeat;
    }
  if (result_.samples.size() < 2) return Q_EMIT failed(tr("Nothing to compare: tick two precisions or more."));
  order_.resize(result_.samples.size());
  std::iota(order_.begin(), order_.end(), 0);
  auto random = QRandomGenerator::securelySeeded();
  std::shuffle(order_.begin(), order_.end(), random);
  position_ = 0;
  cancelling_ = false;
  sample_seconds_.clear();
  sample_time_.start();
  progress_ = {};
  context_ = std::make_unique<QObject>();
  setState(State::Generating);
  nextSample();
}

void ComparisonRunner::cancel() {
  if (state_ == State::Generating) {
    engine_->cancel(call_);
    cancelling_ = true;
    return updateStatus();
  }
  const bool scoring = state_ == State::Scoring;
  stop();
  if (scoring) Q_EMIT scored();
}

void ComparisonRunner::stop() {
  if (state_ == State::Idle) return;
  engine_->cancel(call_);
  context_.reset();
  setState(State::Idle);
}

protocol::GenerateParams ComparisonRunner::params(const QString& precision) const {
  protocol::GenerateParams params{.model = request_.model.toStdString(), .precision = precision.toStdString(), .recipe = request_.recipe,
                                  .offload = request_.options.offload.toStdString(), .loras = request_.options.loras};
  params.image = request_.options.image.toBase64().toStdString();
  if (const auto choice = parseAuto(precision)) {
    params.precision = "auto";
    params.max_error = choice->error;
    params.max_memory = static_cast<std::int64_t>(choice->gibibytes * (1 << 30));
  }
  return params;
}

void ComparisonRunner::nextSample() {
  if (cancelling_) return endEarly();
  if (position_ == order_.size()) return finishGeneration();
  progress_ = {};
  sample_time_.start();
  denoise_time_.invalidate();
  call_ = engine_->call<protocol::GenerateResult>(
      QStringLiteral("samples/generate"), params(current().sample.precision), context_.get(),
      [this](const protocol::GenerateResult& generated) { sampleDone(generated); }, [this](const RpcError& error) { sampleFailed(error); });
  updateStatus();
}

void ComparisonRunner::sampleDone(const protocol::GenerateResult& generated) {
  SampleResult& one = current();
  const QByteArray png = QByteArray::fromBase64(QByteArray::fromStdString(generated.png));
  one.sample.report = toQt(generated.report);
  one.image = decodePicture(png, one.sample.failure);
  if (one.image.isNull()) return sampleFailed({protocol::InternalError, one.sample.failure});
  one.sample.png = png;
  sample_seconds_.push_back(static_cast<double>(sample_time_.elapsed()) / 1000);
  ++position_;
  nextSample();
}

void ComparisonRunner::sampleFailed(const RpcError& error) {
  if (cancelling_) return endEarly();
  study::Sample& sample = current().sample;
  sample.failure = error.message;
  Q_EMIT variantFailed(sample.precision, error.message);
  ++position_;
  nextSample();
}

void ComparisonRunner::endEarly() {
  context_.reset();
  setState(State::Idle);
  Q_EMIT cancelled();
}

void ComparisonRunner::finishGeneration() {
  const auto pictured = [](const SampleResult& one) { return !one.image.isNull(); };
  const bool any = std::any_of(result_.samples.begin(), result_.samples.end(), pictured);
  const QString reason = any ? mismatch(result_) : tr("No picture could be made: %1").arg(result_.samples.front().sample.failure);
  if (!reason.isEmpty()) {
    setState(State::Idle);
    return Q_EMIT failed(reason);
  }
  queueScores();
  setState(State::Scoring);
  Q_EMIT imagesReady();
  // A slot may have started the next comparison.
  if (state_ == State::Scoring) nextScore();
}

void ComparisonRunner::measure(ComparisonResult pictures) {
  if (state_ == State::Generating) return;
  stop();
  context_ = std::make_unique<QObject>();
  request_ = {.model = QStringLiteral("default"), .recipe = pictures.recipe, .variants = {}, .options = {.repeat = false}};
  result_ = std::move(pictures);
  queueScores();
  setState(State::Scoring);
  nextScore();
}

void ComparisonRunner::queueScores() {
  score_jobs_.clear();
  const int reference = result_.reference();
  for (int i = 0; i < static_cast<int>(result_.samples.size()); ++i) {
    SampleResult& one = result_.samples[i];
    if (one.image.isNull()) continue;
    if (hasPrompt(one.sample, request_.recipe.prompt)) score_jobs_.push_back({i, QStringLiteral("clip")});
    else one.sample.scores.failures << tr("clip: no prompt is known");
    if (i != reference && reference >= 0) score_jobs_.push_back({i, kWhereItIs});
    if (i == reference) continue;
    if (reference < 0) {
      one.sample.scores.failures << tr("psnr, ssim: there is no bf16 picture to compare with");
    } else if (one.image == result_.samples[reference].image) {
      one.sample.scores.psnr = std::numeric_limits<double>::infinity();
      one.sample.scores.ssim = 1;
    } else {
      score_jobs_.push_back({i, QStringLiteral("psnr")});
      score_jobs_.push_back({i, QStringLiteral("ssim")});
    }
  }
}

void ComparisonRunner::nextScore() {
  if (score_jobs_.empty()) return finishScoring();
  const ScoreJob job = score_jobs_.back();
  score_jobs_.pop_back();
  const auto picture = [](const SampleResult& one) { return one.sample.png.toBase64().toStdString(); };
  protocol::ScoreParams params{.metric = job.metric.toStdString(), .image = picture(result_.samples[job.sample]), .reference = {},
                               .prompt = request_.recipe.prompt, .model = request_.model.toStdString()};
  if (job.metric != QLatin1String("clip")) params.reference = picture(result_.samples[result_.reference()]);
  call_ = engine_->call<protocol::ScoreResult>(
      QStringLiteral("metrics/score"), params, context_.get(), [this, job](const protocol::ScoreResult& score) { scoreDone(job, score); },
      [this, job](const RpcError& error) { scoreFailed(job, error.message); });
}

void ComparisonRunner::scoreDone(const ScoreJob& job, const protocol::ScoreResult& score) {
  study::Scores& scores = result_.samples[job.sample].sample.scores;
  if (!std::isfinite(score.value)) return scoreFailed(job, tr("the result is no number"));
  if (job.metric == QLatin1String("psnr")) scores.psnr = score.value;
  if (job.metric == QLatin1String("ssim")) scores.ssim = score.value;
  if (job.metric == kWhereItIs) scores.lpips = score.value;
  if (job.metric == QLatin1String("clip")) {
    scores.clip = score.value;
    scores.clip_label = QString::fromStdString(score.label);
  }
  nextScore();
}

void ComparisonRunner::scoreFailed(const ScoreJob& job, const QString& reason) {
  if (job.metric == kWhereItIs) std::erase_if(score_jobs_, [](const ScoreJob& other) { return other.metric == kWhereItIs; });
  else result_.samples[job.sample].sample.scores.failures << QStringLiteral("%1: %2").arg(job.metric, reason);
  nextScore();
}

void ComparisonRunner::finishScoring() {
  context_.reset();
  setState(State::Idle);
  Q_EMIT scored();
  // A slot may have started the next comparison.
  if (state_ == State::Idle && wantsRepeat()) repeatReference();
}

// Where the question was "which one is quantized", the reference lies there several times already.
bool ComparisonRunner::wantsRepeat() const {
  const auto isReference = [](const SampleResult& one) { return one.sample.precision == QLatin1String(study::kReference) && !one.image.isNull(); };
  return request_.options.repeat && std::ranges::count_if(result_.samples, isReference) == 1;
}

void ComparisonRunner::repeatReference() {
  context_ = std::make_unique<QObject>();
  setState(State::Repeating);
  call_ = engine_->call<protocol::GenerateResult>(
      QStringLiteral("samples/generate"), params(QString::fromLatin1(study::kReference)), context_.get(),
      [this](const protocol::GenerateResult& generated) { repeatDone(generated); }, [this](const RpcError& error) { repeatFailed(error.message); });
}

void ComparisonRunner::repeatDone(const protocol::GenerateResult& generated) {
  SampleResult& first = result_.samples[result_.reference()];
  SampleResult again{.sample = {.precision = first.sample.precision, .repeat = 1, .report = toQt(generated.report)}, .image = {}};
  QString reason;
  again.image = decodePicture(QByteArray::fromBase64(QByteArray::fromStdString(generated.png)), reason);
  if (reason.isEmpty()) reason = mismatch({.samples = {first, again}});
  if (reason.isEmpty() && again.image.size() != first.image.size()) reason = tr("it has another size");
  if (!reason.isEmpty()) return repeatFailed(reason);
  first.sample.scores.repeat_psnr = psnrOf(again.image.convertToFormat(QImage::Format_RGB888), first.image.convertToFormat(QImage::Format_RGB888));
  stop();
  Q_EMIT repeated();
}

void ComparisonRunner::repeatFailed(const QString& reason) {
  result_.samples[result_.reference()].sample.scores.failures << tr("the reference drawn again: %1").arg(reason);
  stop();
  Q_EMIT repeated();
}

void ComparisonRunner::onProgress(const protocol::Progress& progress) {
  if (state_ != State::Generating || progress.id != call_) return;
  if (progress.stage == "denoise" && !denoise_time_.isValid()) denoise_time_.start();
  progress_ = progress;
  updateStatus();
}

double ComparisonRunner::fraction() const {
  if (state_ == State::Idle || order_.empty()) return 0;
  return state_ != State::Generating ? 1 : (static_cast<double>(position_) + shareOf(progress_)) / static_cast<double>(order_.size());
}

// From the mean of the finished samples, or else from the pace of the steps of the first.
double ComparisonRunner::secondsLeft() const {
  const double spent = static_cast<double>(sample_time_.elapsed()) / 1000;
  const auto rest = static_cast<double>(order_.size() - position_ - 1);
  if (!sample_seconds_.empty()) {
    const double mean = std::accumulate(sample_seconds_.begin(), sample_seconds_.end(), 0.0) / static_cast<double>(sample_seconds_.size());
    return std::max(mean - spent, 0.0) + rest * mean;
  }
  if (progress_.stage != "denoise" || progress_.step < 2 || !denoise_time_.isValid()) return -1;
  const double step = static_cast<double>(denoise_time_.elapsed()) / 1000 / (progress_.step - 1);
  const double left = step * (progress_.steps - progress_.step);
  return left + rest * (spent + left);
}

void ComparisonRunner::setState(State state) {
  state_ = state;
  updateStatus();
  Q_EMIT stateChanged();
}

void ComparisonRunner::updateStatus() {
  QString text;
  if (state_ == State::Scoring) text = tr("measuring");
  if (state_ == State::Repeating) text = tr("drawing the reference once more");
  if (state_ == State::Generating && position_ < order_.size()) {
    text = tr("%1 of %2 · %3").arg(position_ + 1).arg(order_.size()).arg(cancelling_ ? tr("cancelling") : stageText(progress_));
    if (const double left = secondsLeft(); left >= 0 && !cancelling_)
      text += tr(" · about %1\u2009s left").arg(std::max(1L, std::lround(left)));
  }
  if (text == status_) return;
  status_ = text;
  Q_EMIT statusChanged(status_);
}

}  // namespace quantspot::ui
