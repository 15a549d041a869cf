#include "study/revealed.h"

#include "study/error.h"
#include "study/progress.h"

#include <QJsonDocument>

namespace quantspot::study {
namespace {

RevealedStudy analyzed(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const Mapping& mapping) {
  RevealedStudy result{study.protocol(), study.hash(), chain.empty() ? study.hash().toLatin1() : chain.back().hash, mapping, {}, {}};
  result.responses = collect(result.protocol, result.hash, mapping, chain);
  result.analysis = analyze(result.protocol, result.hash, result.responses);
  // As a reader of analysis.json has it: what is infinite or undefined is null.
  result.analysis = QJsonDocument::fromJson(QJsonDocument(result.analysis).toJson()).object();
  return result;
}

void checkClosed(const FrozenStudy& study, const std::vector<ChainRecord>& chain) {
  const QStringList problems = chainProblems(study.hash().toLatin1(), chain);
  if (!problems.isEmpty()) throw Error(QStringLiteral("the chain does not hold: ") + problems.first());
  if (progressOf(study.protocol(), study.hash(), chain).closed.isEmpty())
    throw Error(QStringLiteral("the study is still running: close it before its figures are looked at"));
}

}  // namespace

Rows RevealedStudy::counted() const {
  Rows rows;
  for (const ResponseRow& row : responses.rows)
    if (row.trial.role != TrialRole::Practice && (row.excluded.isEmpty() || !protocol.analysis.exclude)) rows.push_back(&row);
  return rows;
}

RevealedStudy reveal(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const QString& passphrase) {
  checkClosed(study, chain);
  return analyzed(study, chain, study.open(passphrase));
}

RevealedStudy reveal(const FrozenStudy& study, const std::vector<ChainRecord>& chain, const Mapping& mapping) {
  checkClosed(study, chain);
  return analyzed(study, chain, mapping);
}

RevealedStudy revealedBundle(const QByteArray& zip, const QByteArray& head) {
  const Verification verification = verifyBundle(zip, head);
  if (!verification.problems.isEmpty()) throw Error(QStringLiteral("the bundle does not hold: ") + verification.problems.first());
  if (!verification.revealed) throw Error(QStringLiteral("the bundle is sealed: it holds no mapping to analyze with"));
  const BundledStudy bundled = openBundle(zip);
  RevealedStudy result = analyzed(bundled.study, bundled.chain, *bundled.mapping);
  if (verification.recomputed) result.analysis = verification.analysis;   // as stated; an older version's figures give way to this one's
  return result;
}

}  // namespace quantspot::study
