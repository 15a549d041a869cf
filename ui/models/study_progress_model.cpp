#include "ui/models/study_progress_model.h"

#include "study/bundle.h"
#include "study/error.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

namespace quantspot::ui {
namespace {

void save(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit())
    throw study::Error(StudyProgressModel::tr("%1 cannot be written: %2").arg(path, file.errorString()));
}

}  // namespace

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

StudyProgressModel::StudyProgressModel(QString store, QString hash, int patience_ms, QObject* parent)
    : QObject(parent), hash_(std::move(hash)), ledger_(std::move(store), LedgerThread::Keep::Connection, patience_ms) {
  read();
}

StudyProgressModel::~StudyProgressModel() = default;

void StudyProgressModel::setBusy(bool busy) {
  if (std::exchange(busy_, busy) != busy) Q_EMIT busyChanged(busy);
}

void StudyProgressModel::warn(const QString& warning) {
  warning_ = warning;
  Q_EMIT warned();
}

// body on the store's thread, then `then` here, or failed().
void StudyProgressModel::perform(std::function<void(study::Ledger&)> body, std::function<void()> then, bool busy) {
  if (busy) setBusy(true);
  ledger_.begin(std::move(body), [this, busy, then = std::move(then)](std::exception_ptr error) {
    if (busy) setBusy(false);
    try {
      if (error) std::rethrow_exception(error);
      then();
    } catch (const std::exception& problem) {
      Q_EMIT failed(QString::fromUtf8(problem.what()));
    }
  });
}

void StudyProgressModel::read() {
  if (known_ || std::exchange(reading_, true)) return;
  struct Found {
    QString hash, closed;
    study::Protocol protocol;
  };
  auto found = std::make_shared<Found>();
  ledger_.begin([found, hash = hash_](study::Ledger& ledger) {
    const study::FrozenStudy study = ledger.study(hash);
    *found = {study.hash(), ledger.closedAt(study.hash()), study.protocol()};
  }, [this, found](std::exception_ptr error) {
    reading_ = false;
    try {
      if (error) std::rethrow_exception(error);
      hash_ = found->hash, protocol_ = found->protocol, progress_.closed = found->closed;
      known_ = true;
      warn({});
      Q_EMIT known();
    } catch (const std::exception& problem) {
      warn(QString::fromUtf8(problem.what()));
    }
  });
}

void StudyProgressModel::unlock(const QString& passphrase) {
  if (busy_) return;
  auto mapping = std::make_shared<study::Mapping>();
  auto seen = std::make_shared<Seen>();
  perform([mapping, seen, passphrase, hash = hash_](study::Ledger& ledger) {
    const study::FrozenStudy study = ledger.study(hash);
    *mapping = study.open(passphrase);
    *seen = see(ledger, study.hash(), study.protocol(), *mapping);
  }, [this, mapping, seen] {
    mapping_ = std::move(*mapping);
    read();                                    // the store may have been out of reach before
    show(*seen);
    Q_EMIT unlocked();
  });
}

void StudyProgressModel::lock() {
  mapping_.reset();
  head_.clear();
  participants_.setProgress({});
}

StudyProgressModel::Seen StudyProgressModel::see(study::Ledger& ledger, const QString& hash, const study::Protocol& protocol,
                                                 const study::Mapping& mapping) {
  return {ledger.head(hash), study::progressOf(protocol, hash, ledger.chain(hash), mapping)};
}

void StudyProgressModel::show(const Seen& seen) {
  progress_ = seen.progress, head_ = seen.head;
  participants_.setProgress(progress_);
  Q_EMIT changed();
}

void StudyProgressModel::refresh() { look({}); }

// Reads again, shows what has changed, and goes on.
void StudyProgressModel::look(std::function<void()> then) {
  if (!mapping_) return;
  auto seen = std::make_shared<std::optional<Seen>>();
  perform([seen, hash = hash_, known = head_, protocol = protocol_, mapping = *mapping_](study::Ledger& ledger) {
    if (ledger.head(hash) != known) *seen = see(ledger, hash, protocol, mapping);
  }, [this, seen, then = std::move(then)] {
    if (*seen && mapping_) show(**seen);
    if (then) then();
  }, false);
}

void StudyProgressModel::close() {
  auto warning = std::make_shared<QString>();
  perform([warning, hash = hash_](study::Ledger& ledger) {
    ledger.close(hash);
    *warning = ledger.lastWarning();
  }, [this, warning] {
    warn(*warning);
    look([this] {
      if (isClosed()) Q_EMIT closed();
    });
  });
}

void StudyProgressModel::erase(const QString& participant) {
  perform([participant, hash = hash_](study::Ledger& ledger) { ledger.erase(hash, participant); }, [this] { refresh(); });
}

void StudyProgressModel::exportParticipant(const QString& participant, const QString& path) {
  if (busy_ || !mapping_) return;
  perform([participant, path, hash = hash_](study::Ledger& ledger) {
    save(path, QJsonDocument(ledger.keptOf(hash, participant)).toJson());
  }, [this, path] { Q_EMIT written(path); });
}

void StudyProgressModel::exportBundle(const QString& path) {
  if (busy_ || !mapping_) return;
  auto head = std::make_shared<QString>();
  perform([head, path, hash = hash_, revealed = isClosed() ? mapping_ : std::nullopt](study::Ledger& ledger) {
    const study::FrozenStudy study = ledger.study(hash);
    const auto chain = ledger.chain(hash);
    save(path, study::makeBundle(study, chain, revealed));
    *head = chain.empty() ? study.hash() : QString::fromLatin1(chain.back().hash);
  }, [this, path, head] { Q_EMIT exported(path, *head); });
}

}  // namespace quantspot::ui
