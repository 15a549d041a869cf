// The analysis of a study, opened from a store or a bundle; figures come from study/analysis, nothing is computed here.
#pragma once

#include "study/revealed.h"
#include "ui/models/background.h"

namespace quantspot::ui {

class AnalysisModel : public QObject {
  Q_OBJECT
 public:
  explicit AnalysisModel(QObject* parent = nullptr) : QObject(parent) {}

  // In the background; loaded() or failed(). A store's study must be closed.
  void openStore(const QString& store, const QString& hash, const QString& passphrase);
  void openStore(const QString& store, const QString& hash, const study::Mapping& mapping);
  void openBundle(const QString& path);
  bool isLoaded() const { return study_ != nullptr; }
  bool isBusy() const { return background_.isRunning(); }

  const study::RevealedStudy& study() const { return *study_; }
  // Without flagged participants, or with everybody. At first as the protocol's plan has it.
  void setExcluding(bool excluding);
  bool isExcluding() const { return excluding_; }
  bool isHeadline() const;                     // the part that the decisions were planned to come from
  const QJsonObject part() const;

  // A table of automatic metrics (study/metric_correlation.h); metricsChanged() or failed().
  void openMetrics(const QString& path);
  const QJsonArray& metrics() const { return metrics_; }

  // The report as HTML, or as PDF when the file's name ends so; the ranking of an ablation as a policy. saved() or failed().
  void saveReport(const QString& path);
  bool canMakePolicy() const;                  // the variants are groups of layers at one lower precision
  void savePolicy(const QString& path);

 Q_SIGNALS:
  void loaded();
  void partChanged();
  void metricsChanged();
  void saved(const QString& line);
  void failed(const QString& message);

 private:
  void save(const QString& path, const std::function<QByteArray()>& bytes, const QString& line);
  void open(std::function<study::RevealedStudy()> work);

  std::unique_ptr<study::RevealedStudy> study_;
  QJsonArray metrics_;
  bool excluding_ = true;
  Background background_{this};
};

}  // namespace quantspot::ui
