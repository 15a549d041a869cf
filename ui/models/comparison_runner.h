// Asks the engine for the samples of one comparison, one after another, in an order drawn by chance; then measures them.
// One comparison at a time. A variant that fails, also by killing the engine, is kept with its reason and the rest go on.
#pragma once

#include "ui/models/comparison.h"

#include <QElapsedTimer>

namespace quantspot::ui {

struct VariantRequest {
  QString precision;                  // id or policy text
  int repeats = 1;                    // of bf16 in "spot": number of tiles - 1
};

struct ComparisonRequest {
  QString model = QStringLiteral("default");
  protocol::Recipe recipe;
  std::vector<VariantRequest> variants;
  QString offload = QStringLiteral("none");
};

class ComparisonRunner : public QObject {
  Q_OBJECT
 public:
  enum class State { Idle, Generating, Scoring };
  Q_ENUM(State)

  explicit ComparisonRunner(EngineClient* engine, QObject* parent = nullptr);   // engine is not owned

  void start(ComparisonRequest request);    // ignored with failed() while one is running
  void cancel();                            // while generating: then cancelled(); while scoring: then scored()
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
  void cancelled();
  void failed(const QString& message);      // no picture at all, or a request that cannot run
  void stateChanged();

 private:
  struct ScoreJob {
    int sample = 0;
    QString metric;
  };

  void nextSample();
  void sampleDone(int index, const protocol::GenerateResult& generated);
  void sampleFailed(int index, const RpcError& error);
  void finishGeneration();
  void nextScore();
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
  qint64 call_ = 0;
  bool cancelling_ = false;
  protocol::Progress progress_;
  QElapsedTimer elapsed_;
  QString status_;
};

}  // namespace quantspot::ui
