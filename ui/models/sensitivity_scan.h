// Which layers suffer from a precision, as the engine measures it for the policy editor; and the policies that it finds by that.
#pragma once

#include "ui/client/engine_client.h"

#include <QElapsedTimer>
#include <QHash>

#include <memory>
#include <optional>

namespace quantspot::ui {

class SensitivityScan : public QObject {
  Q_OBJECT
 public:
  explicit SensitivityScan(EngineClient* engine, QObject* parent = nullptr);   // engine is not owned

  void forget();                                  // another model: the figures were not about it
  // Measures every layer (or block) alone at `params.precision`. One at a time: nothing happens while one runs.
  void start(protocol::ScanParams params);
  // By the figures at hand, the smallest policy whose error is at most this (as a share of the reference's latents), or the best one whose
  // denoiser takes at most so many bytes. Whole models are measured for it. Nothing happens without figures.
  void findUnderError(double error);
  void findUnderBytes(qint64 bytes);
  void cancel();

  bool isRunning() const { return call_ != 0; }
  double fraction() const;                        // 0…1
  QString statusText() const;                     // "round 3 of 16 · about 40 s left"; empty when idle
  bool hasResult() const { return result_.has_value(); }
  const protocol::ScanResult& result() const { return *result_; }   // with hasResult()
  const protocol::ScanParams& params() const { return params_; }    // what was measured
  QHash<QString, double> layerErrors() const;     // by layer; of a block's layers, that of the block

 Q_SIGNALS:
  void changed();                                 // any of the above
  void found(const quantspot::protocol::FoundPolicy& policy);
  void failed(const QString& message);

 private:
  void run(const protocol::ScanParams& params);
  void find(double error, qint64 bytes);
  void end();

  EngineClient* engine_;
  protocol::ScanParams params_;
  std::optional<protocol::ScanResult> result_;
  std::unique_ptr<QObject> context_;
  qint64 call_ = 0;
  protocol::Progress progress_;
  QElapsedTimer time_;
  bool cancelling_ = false;
};

// Pictures whose latents a scan of so many groups draws.
qint64 picturesOfScan(qint64 groups, qint64 prompts);
// The block that a layer belongs to, as the engine groups them: its name up to and with the first number in it; else the name.
QString blockOfLayer(const QString& layer);

}  // namespace quantspot::ui
