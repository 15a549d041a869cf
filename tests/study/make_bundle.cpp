// Writes the bundle of a small study with every kind of trial, as this version of the program makes it: run it before figures change, so that
// bundle_versions_test keeps one of each version. Usage: quantspot_make_bundle FILE (compressed by qCompress)
#include "study/bundle.h"
#include "tests/study/sample_study.h"

#include <QFile>

using namespace quantspot::study;

namespace {

QByteArray bundle() {
  Protocol p = sample::protocol(6);
  p.bits = {{"bnb-nf4", 4.5}, {"gguf-q4_k", 4.8}};
  for (TrialKind kind : {TrialKind::Abx, TrialKind::Rating, TrialKind::Ranking}) {
    Block block;
    block.kind = kind;
    block.trials = 6;
    p.blocks.push_back(block);
  }
  const FrozenStudy study = sample::frozen(sample::withQuestions(p));
  Ledger ledger(":memory:");
  ledger.addStudy(study);
  for (const Seat& seat : sample::run(ledger, study, 4, 0.5, 3))
    sample::say(ledger, study, seat, {{"eyes", "no"}}, {{"hard", 2 + seat.cell % 3}, {"sure", 1}, {"more", "colours"}});
  ledger.close(study.hash());
  return makeBundle(study, ledger.chain(study.hash()), study.open(sample::kPassphrase));
}

}  // namespace

int main(int count, char** arguments) {
  QFile file(count == 2 ? QString::fromLocal8Bit(arguments[1]) : QString());
  const QByteArray bytes = count == 2 ? qCompress(bundle(), 9) : QByteArray();
  return file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() ? 0 : 1;
}
