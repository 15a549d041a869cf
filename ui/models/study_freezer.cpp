#include "ui/models/study_freezer.h"

#include "study/error.h"
#include "study/ledger.h"
#include "study/study_store.h"
#include "ui/models/data_folder.h"

#include <QFile>

namespace quantspot::ui {

struct StudyFreezer::Work {
  FreezeInput input;
  QString history, studies, passphrase;
  study::SealCost cost;
  std::shared_ptr<std::atomic<Phase>> phase;
  std::function<void(int, int)> told;
  std::function<void()> seals;

  struct Stopped {};

  void goOn(int done, int of) const {
    if (*phase == Phase::Cancelled) throw Stopped();
    told(done, of);
  }

  Outcome run() const {
    study::StudyStore store;
    if (!store.open(history)) throw study::Error(store.lastError());
    try {
      study::PreparedStudy prepared = prepareDraft(store, input, [this](int done, int of) { goOn(done, of); });
      Phase reading = Phase::Reading;
      if (!phase->compare_exchange_strong(reading, Phase::Sealing)) return {};
      seals();
      prepared.study.sealed = study::seal(prepared.mapping.text(), passphrase, cost);
      study::Ledger(studies).addStudy(prepared.study);
      QFile::remove(input.file);
      return {prepared.study.hash(), closed(prepared)};
    } catch (const Stopped&) {
      return {};
    }
  }

  // The study is there already: what fails here is made up for when a participant's window opens.
  QString closed(const study::PreparedStudy& prepared) const {
    try {
      closeHistory(history, prepared.study, prepared.mapping);
      return {};
    } catch (const std::exception& error) {
      return tr("The study is frozen. Its pictures in the history are not sealed yet, and will be when it is opened for a participant: %1")
          .arg(QString::fromUtf8(error.what()));
    }
  }
};

StudyFreezer::StudyFreezer(QObject* parent) : QObject(parent), phase_(std::make_shared<std::atomic<Phase>>(Phase::Reading)) {}

StudyFreezer::~StudyFreezer() { cancel(); }

void StudyFreezer::start(const StudyDraft& draft, const QString& history, const QString& studies, const QString& passphrase, study::SealCost cost) {
  if (isRunning()) return;
  *phase_ = Phase::Reading;
  const auto tell = [this](auto call) { QMetaObject::invokeMethod(this, call, Qt::QueuedConnection); };
  const Work work{draft.freezeInput(), history.isEmpty() ? QStringLiteral(":memory:") : history, studies, passphrase, cost, phase_,
                  [this, tell](int done, int of) { tell([this, done, of] { Q_EMIT progress(done, of); }); },
                  [this, tell] { tell([this] { Q_EMIT sealing(); }); }};
  background_.run<Outcome>([work] { return work.run(); }, [this](const Outcome& outcome) {
    if (outcome.hash.isEmpty()) Q_EMIT cancelled();
    else Q_EMIT frozen(outcome.hash, outcome.notice);
  }, [this](const QString& problem) { Q_EMIT failed(problem); });
}

bool StudyFreezer::cancel() {
  Phase reading = Phase::Reading;
  return phase_->compare_exchange_strong(reading, Phase::Cancelled);
}

}  // namespace quantspot::ui
