// Asks the engine for the samples of one comparison, one after another, in an order drawn by chance; then measures them, and draws the
// reference once more: how far two drawings of the same thing lie apart is the noise floor of every other figure.
// One comparison at a time. A variant that fails, also by killing the engine, is kept with its reason and the rest go on.
#pragma once

#include "ui/models/comparison.h"

#include <QByteArray>
#include <QElapsedTimer>

namespace quantspot::ui {

struct VariantRequest {
  QString precision;                  // id, policy text, or that of an AutoChoice
  int repeats = 1;                    // of bf16 in "spot": number of tiles - 1
};

// What all variants of a comparison share beside the recipe.
struct RunOptions {
  QString offload = QStringLiteral("none");
  std::vector<protocol::Lora> loras = {};
  QByteArray image = {};              // PNG of the recipe's size, for image to image
  bool repeat = true;                 // the reference is drawn again, after scored()
};

struct ComparisonRequest {
  QString model = QStringLiteral("default");
  protocol::Recipe recipe;
  std::vector<VariantRequest> variants;
  RunOptions options = {};
};

class ComparisonRunner : public QObject {
  Q_OBJECT
 public:
  enum class State { Idle, Generating, Scoring, Repeating };
  Q_ENUM(State)

  explicit ComparisonRunner(EngineClient* engine, QObject* parent = nullptr);   // engine is not owned

  // failed() while one is being generated; one that is being measured or repeated is cut short.
  void start(ComparisonRequest request);
  // Scores pictures that are already there, made elsewhere; scored() follows. Not while generating.
  void measure(ComparisonResult pictures);
  void cancel();                            // while generating: then cancelled(); while scoring: then scored(), and nothing is repeated
  State state() const { return state_; }

  // "2 of 4 · step 11/20 · about 3 s left": says how many, never which. Empty when idle.
  QString statusText() const { return status_; }
  double fraction() const;                  // 0…1 of the generation

  // In the order of the request, not that of generation. Holds names: keep it away from a blind screen.
  const ComparisonResult& result() const { return result_; }

 Q_SIGNALS:
  void statusChanged(const QString& text);
  void variantFailed(const QString& precision, const QString& reason);
  void imagesReady();                       // every sample has its picture or its reason; at least one has a picture
  void scored();                            // measurements done, failed ones noted in Scores::failures
  void repeated();                          // Scores::repeat_psnr of the reference, or why there is none in its failures
  void cancelled();
  void failed(const QString& message);      // no picture at all, or a request that cannot run
  void stateChanged();

 private:
  struct ScoreJob {
    int sample = 0;
    QString metric;
  };

  protocol::GenerateParams params(const QString& precision) const;
  SampleResult& current() { return result_.samples[order_[position_]]; }
  void nextSample();
  void sampleDone(const protocol::GenerateResult& generated);
  void sampleFailed(const RpcError& error);
  void finishGeneration();
  void endEarly();
  void queueScores();
  void nextScore();
  void scoreDone(const ScoreJob& job, const protocol::ScoreResult& score);
  void scoreFailed(const ScoreJob& job, const QString& reason);
  void finishScoring();
  void stop();                              // what is measured or repeated; no signal but stateChanged()
  bool wantsRepeat() const;
  void repeatReference();
  void repeatDone(const protocol::GenerateResult& generated);
  void repeatFailed(const QString& reason);
  double secondsLeft() const;               // negative while unknown
  void setState(State state);
  void onProgress(const protocol::Progress& progress);
  void updateStatus();

  EngineClient* engine_;
  State state_ = State::Idle;
  ComparisonRequest request_;
  ComparisonResult result_;
  std::vector<int> order_;                  // sample indices in the order of generation
  std::size_t position_ = 0;
  std::vector<ScoreJob> score_jobs_;
  std::unique_ptr<QObject> context_;        // of the calls of this run
  qint64 call_ = 0;
  bool cancelling_ = false;
  protocol::Progress progress_;
  QElapsedTimer sample_time_, denoise_time_;
  std::vector<double> sample_seconds_;      // of the finished ones
  QString status_;
};

}  // namespace quantspot::ui
