// People at a station, as a process of its own: what `PROGRAM --station URL JOURNAL HASH SEED` does.
#pragma once

#include "study/error.h"
#include "study/station.h"
#include "tests/study/sample_study.h"

#include <QThread>

#include <cstdio>

namespace sample {

// Run as a process of its own: three people answer everything, whatever the server does. Says every answer that is kept.
inline int station(const QString& url, const QString& journal, const QString& hash, int seed) {
  const FrozenStudy study = Ledger(url).study(hash);
  const Mapping mapping = study.open(kPassphrase);
  const Protocol protocol = study.protocol();
  Station here(url, journal);
  quantspot::statistics::Random random(static_cast<std::uint64_t>(seed));
  std::puts("ready");
  std::fflush(stdout);
  for (int person = 0; person < 3; ++person) {
    std::optional<Seat> seat;
    for (int i = 0; !seat && i < 300; ++i) {
      try {
        seat = here.join(study);
      } catch (const Error&) {
        QThread::msleep(100);
      }
    }
    if (!seat) return 1;
    for (const PlannedTrial& trial : planTrials(study, mapping, seat->participant, seat->cell)) {
      const QString answer = answerOf(protocol, trial, 0.6, random);
      here.answer(study, mapping, *seat, trial.index, answer);
      std::printf("%s %d %s\n", qPrintable(seat->participant), trial.index, qPrintable(answer));
      std::fflush(stdout);
      QThread::msleep(8);
    }
  }
  for (int i = 0; !here.reconcile() && i < 300; ++i) QThread::msleep(100);
  return here.waiting() == 0 ? 0 : 2;
}

}  // namespace sample
