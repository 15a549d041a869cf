#include "ui/models/study_progress_model.h"

#include "study/bundle.h"
#include "study/error.h"

#include <QSaveFile>

namespace quantspot::ui {

void ParticipantsModel::setProgress(const study::Progress& progress) {
  beginResetModel();
  rows_.clear();
  for (const QString& id : progress.per_participant.keys()) rows_.emplace_back(id, progress.per_participant[id].toInt());
  planned_ = progress.planned;
  endResetModel();
}

QVariant ParticipantsModel::data(const QModelIndex& index, int role) const {
  const auto& [id, answered] = rows_.at(static_cast<std::size_t>(index.row()));
  if (role != Qt::DisplayRole) return {};
  switch (index.column()) {
    case Id: return id;
    case Answered: return tr("%1 of %2").arg(answered).arg(planned_);
    default: return answered >= planned_ ? tr("finished") : answered == 0 ? tr("joined") : tr("under way");
  }
}

QVariant ParticipantsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  return section == Id ? tr("Participant (random id)") : section == Answered ? tr("Trials") : tr("State");
}

StudyProgressModel::StudyProgressModel(QString store, QString hash, QObject* parent)
    : QObject(parent), store_(std::move(store)), hash_(std::move(hash)) {
  try {   // nobody listens yet: a store that cannot be read shows when the study is unlocked
    ledger_ = std::make_unique<study::Ledger>(store_);
    const study::FrozenStudy study = ledger_->study(hash_);
    hash_ = study.hash();
    protocol_ = study.protocol();
    progress_.closed = ledger_->closedAt(hash_);
  } catch (const std::exception& error) {
    warning_ = QString::fromUtf8(error.what());
  }
}

StudyProgressModel::~StudyProgressModel() = default;

void StudyProgressModel::setBusy(bool busy) {
  busy_ = busy;
  Q_EMIT busyChanged(busy);
}

void StudyProgressModel::guarded(const std::function<void()>& body) {
  try {
    if (!ledger_) ledger_ = std::make_unique<study::Ledger>(store_);
    body();
  } catch (const std::exception& error) {
    Q_EMIT failed(QString::fromUtf8(error.what()));
  }
}

void StudyProgressModel::unlock(const QString& passphrase) {
  if (busy_) return;
  guarded([&] {
    const study::FrozenStudy study = ledger_->study(hash_);
    setBusy(true);
    background_.run<study::Mapping>([study, passphrase] { return study.open(passphrase); },
        [this](study::Mapping mapping) {
          mapping_ = std::move(mapping);
          setBusy(false);
          head_.clear();
          refresh();
          Q_EMIT unlocked();
        },
        [this](const QString& problem) {
          setBusy(false);
          Q_EMIT failed(problem);
        });
  });
}

void StudyProgressModel::lock() {
  mapping_.reset();
  head_.clear();
  participants_.setProgress({});
}

void StudyProgressModel::refresh() {
  if (!mapping_) return;
  guarded([&] {
    const QByteArray head = ledger_->head(hash_);
    if (head == head_) return;
    progress_ = study::progressOf(protocol_, hash_, ledger_->chain(hash_), mapping_);
    head_ = head;
    participants_.setProgress(progress_);
    Q_EMIT changed();
  });
}

void StudyProgressModel::close() {
  guarded([&] {
    ledger_->close(hash_);
    warning_ = ledger_->lastWarning();
  });
  refresh();
}

void StudyProgressModel::erase(const QString& participant) {
  guarded([&] { ledger_->erase(hash_, participant); });
  refresh();
}

void StudyProgressModel::exportBundle(const QString& path) {
  if (busy_ || !mapping_) return;
  guarded([&] {
    const study::FrozenStudy study = ledger_->study(hash_);
    const auto chain = ledger_->chain(hash_);
    const std::optional<study::Mapping> revealed = isClosed() ? mapping_ : std::nullopt;
    setBusy(true);
    background_.run<QString>([study, chain, revealed, path] {
      const QByteArray bytes = study::makeBundle(study, chain, revealed);
      QSaveFile file(path);
      if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
        throw study::Error(tr("%1 cannot be written: %2").arg(path, file.errorString()));
      return chain.empty() ? study.hash() : QString::fromLatin1(chain.back().hash);
    },
        [this, path](const QString& head) {
          setBusy(false);
          Q_EMIT exported(path, head);
        },
        [this](const QString& problem) {
          setBusy(false);
          Q_EMIT failed(problem);
        });
  });
}

}  // namespace quantspot::ui
