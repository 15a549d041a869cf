// A study with its mapping open: what analysis, report and bundle are made from.
#pragma once

#include "study/bundle.h"

namespace quantspot::study {

struct RevealedStudy {
  Protocol protocol;
  QString hash;
  QByteArray head;
  Mapping mapping;
  Responses responses;
  QJsonObject analysis;

  // What the headline of the analysis counts.
  Rows counted() const;
};

// From what a store holds. Throws Error when the chain does not hold, when the passphrase is wrong, and while the study is not closed: a score
// that is looked at before changes who goes on answering.
RevealedStudy reveal(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const QString& passphrase);
// The same with the mapping at hand, as FrozenStudy::open gave it.
RevealedStudy reveal(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const Mapping& mapping);

// From a bundle that verifies. head: as verifyBundle. Throws Error with its first problem, and for a sealed one.
RevealedStudy revealedBundle(const QByteArray& zip, const QByteArray& head = {});

}  // namespace quantspot::study
