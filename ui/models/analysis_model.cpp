#include "ui/models/analysis_model.h"

#include "study/ablation.h"
#include "study/csv.h"
#include "study/error.h"
#include "study/ledger.h"
#include "study/metric_correlation.h"
#include "study/report.h"

#include <QJsonDocument>
#include <QSaveFile>

namespace quantspot::ui {

void AnalysisModel::open(std::function<study::RevealedStudy()> work) {
  if (isBusy()) return;
  background_.run<study::RevealedStudy>(std::move(work),
      [this](study::RevealedStudy study) {
        study_ = std::make_unique<study::RevealedStudy>(std::move(study));
        excluding_ = study_->protocol.analysis.exclude;
        metrics_ = {};
        Q_EMIT loaded();
      },
      [this](const QString& problem) { Q_EMIT failed(problem); });
}

void AnalysisModel::openStore(const QString& store, const QString& hash, const QString& passphrase) {
  open([store, hash, passphrase] {
    study::Ledger ledger(store);
    const study::FrozenStudy study = ledger.study(hash);
    return study::reveal(study, ledger.chain(study.hash()), passphrase);
  });
}

void AnalysisModel::openStore(const QString& store, const QString& hash, const study::Mapping& mapping) {
  open([store, hash, mapping] {
    study::Ledger ledger(store);
    const study::FrozenStudy study = ledger.study(hash);
    return study::reveal(study, ledger.chain(study.hash()), mapping);
  });
}

void AnalysisModel::openBundle(const QString& path) {
  open([path] { return study::revealedBundle(study::readFile(path)); });
}

void AnalysisModel::setExcluding(bool excluding) {
  if (excluding == excluding_) return;
  excluding_ = excluding;
  Q_EMIT partChanged();
}

bool AnalysisModel::isHeadline() const { return excluding_ == study_->protocol.analysis.exclude; }

const QJsonObject AnalysisModel::part() const {
  return study_->analysis[excluding_ ? QStringLiteral("with_exclusions") : QStringLiteral("without_exclusions")].toObject();
}

void AnalysisModel::openMetrics(const QString& path) {
  try {
    metrics_ = study::metricCorrelations(study_->protocol, study_->counted(), study::parseCsvTable(study::readFile(path)));
    Q_EMIT metricsChanged();
  } catch (const std::exception& error) {
    Q_EMIT failed(QString::fromUtf8(error.what()));
  }
}

void AnalysisModel::save(const QString& path, const std::function<QByteArray()>& bytes, const QString& line) {
  try {
    const QByteArray content = bytes();
    QSaveFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size() || !file.commit())
      throw study::Error(tr("%1 cannot be written: %2").arg(path, file.errorString()));
    Q_EMIT saved(line);
  } catch (const std::exception& error) {
    Q_EMIT failed(QString::fromUtf8(error.what()));
  }
}

void AnalysisModel::saveReport(const QString& path) {
  const bool pdf = path.endsWith(QLatin1String(".pdf"), Qt::CaseInsensitive);
  save(path, [&] { return pdf ? study::reportPdf(study_->analysis) : study::reportHtml(study_->analysis); }, tr("The report is in %1.").arg(path));
}

bool AnalysisModel::canMakePolicy() const { return study_ && study::isAblation(study_->protocol); }

void AnalysisModel::savePolicy(const QString& path) {
  save(path, [&] { return QJsonDocument(study::policyFromVisibility(study_->protocol, study_->analysis).policy).toJson(); },
      tr("The policy is in %1; import it under “+ policy…”.").arg(path));
}

}  // namespace quantspot::ui
