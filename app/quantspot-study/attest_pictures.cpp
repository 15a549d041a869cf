#include "app/quantspot-study/attest_pictures.h"

#include "study/error.h"
#include "ui/models/picture_facts.h"

namespace quantspot::cli {
namespace {

// What was known beside what is seen now.
QJsonObject merged(const QString& comparison, const QJsonObject& given, const QJsonObject& seen) {
  QJsonObject all = seen;
  for (const QString& variant : given.keys()) {
    QJsonObject one = given[variant].toObject();
    const QJsonObject now = seen[variant].toObject();
    const QString stated = one["image_sha256"].toString();
    if (!stated.isEmpty() && stated != now["image_sha256"].toString())
      throw study::Error(QStringLiteral("comparison '%1', variant '%2': the picture is not the one that the protocol attests (its pixels' SHA-256 "
                                        "is %3); import the pictures again").arg(comparison, variant, now["image_sha256"].toString()));
    for (const QString& key : now.keys()) one[key] = now[key];
    all[variant] = one;
  }
  return all;
}

}  // namespace

void attestPictures(study::Protocol& protocol, const study::Pictures& pictures, bool overrule) {
  for (study::StudyComparison& comparison : protocol.comparisons) {
    QMap<QString, QByteArray> files = pictures[comparison.id];
    files.remove(protocol.gold_variant);                 // broken on purpose
    const ui::PictureFacts facts = ui::pictureFacts(files, protocol.reference);
    if (!facts.problem.isEmpty()) throw study::Error(QStringLiteral("comparison '%1': %2").arg(comparison.id, facts.problem));
    if (!facts.suspicion.isEmpty() && !overrule)
      throw study::Error(QStringLiteral("comparison '%1': %2; look at it, and give --overrule-gate if it is meant to be so")
          .arg(comparison.id, facts.suspicion));
    QJsonObject& attested = comparison.attested;
    QJsonObject gate = facts.attested["gate"].toObject();
    if (!facts.suspicion.isEmpty()) gate["overruled"] = true;
    attested["pictures"] = merged(comparison.id, attested["pictures"].toObject(), facts.attested["pictures"].toObject());
    attested["pixels"] = facts.attested["pixels"], attested["gate"] = gate;
  }
}

}  // namespace quantspot::cli
