// A study in one file that others can check: docs/study-bundle.md.
#pragma once

#include "study/analysis.h"

namespace quantspot::study {

// The ZIP file. With the mapping it holds responses, analysis, report and scripts; without it only what shows that the study took
// place as frozen. Throws Error when the chain does not hold, because such a bundle would prove nothing.
QByteArray makeBundle(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const std::optional<Mapping>& mapping);

struct Verification {
  QStringList problems;              // empty: everything holds
  QStringList notes;                 // what could not be checked here, and why
  QString study;                     // hash
  QByteArray head;
  bool revealed = false;             // the mapping is there
  int analysis_version = 0;          // by whose rules the figures were made; 0: there are none
  bool recomputed = false;           // the figures were derived anew: they are of this program's version
  int records = 0, erased = 0, responses = 0;
  QJsonObject analysis;              // as stated by the bundle
};

// Checks every byte of a bundle by itself: needs no store, no network, no data folder. Figures of another version of the analysis
// (kAnalysisVersion) are held to the manifest's hashes and not made anew, which `notes` says; study, chain, plan, pictures and responses are
// checked all the same. head: the head hash that was exported or published before; without it a bundle that was made anew as a whole passes.
Verification verifyBundle(const QByteArray& zip, const QByteArray& head = {});

struct BundledStudy {
  FrozenStudy study;
  std::vector<ChainRecord> chain;
  std::optional<Mapping> mapping;    // none before the reveal
};
// What Ledger::restore takes. Throws Error with the first problem that verifyBundle finds.
BundledStudy openBundle(const QByteArray& zip);

}  // namespace quantspot::study
